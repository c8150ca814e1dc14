import { Worker } from 'node:worker_threads'
import sql from 'sql-template-tag'
import type { Run } from './statements.ts'

/** How many pages the log may have before it is written into the file. */
const logPages = 4000

/** The row of `pragma wal_checkpoint`: pages that the log has, and of them those that are in the file. */
interface Pages {
  log: number
  checkpointed: number
}

/**
 * Writes the log of the database at `path` into its file on a thread with a connection of its own: that takes tens of
 * milliseconds, in which nobody could be served. Where the thread fails, the connection that writes does it, once its
 * `wal_autocheckpoint` is reached.
 */
export function createCheckpointer(path: string, write: Run, warn: (error: Error) => void) {
  let thread: Worker | undefined
  let hasFailed = false
  let isBusy = false

  function start(): Worker {
    const options = {
      eval: true,
      execArgv: [],
      env: {},
      workerData: path,
      resourceLimits: { maxOldGenerationSizeMb: 16 },
    }
    const started = new Worker(`(${copyLog})()`, options)
    started.unref()
    started.on('message', () => {
      isBusy = false
      finish()
    })
    started.on('error', (error) => {
      hasFailed = true
      warn(error)
    })
    return started
  }

  /** Writes the little that was committed meanwhile: a log begins anew only when all of it is in the file. */
  function finish() {
    try {
      write(sql`pragma wal_checkpoint(passive)`)
    } catch {
      // What ails the file, the next write tells.
    }
  }

  return {
    /** Is called after each commit. */
    written() {
      if (isBusy || hasFailed) return
      const [pages] = write<Pages>(sql`pragma wal_checkpoint(noop)`)
      if (!pages || pages.log - pages.checkpointed < logPages) return
      isBusy = true
      thread ??= start()
      thread.postMessage('copy')
    },
    /** Ends after what the thread is doing. */
    async close() {
      await thread?.terminate()
    },
  }
}

/** What the thread does. Its text is all that the thread has, so it names nothing from outside. */
function copyLog() {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  const db = new DatabaseSync(workerData)
  db.exec('pragma synchronous = full; pragma wal_autocheckpoint = 0; pragma cache_size = -100')
  const checkpoint = db.prepare('pragma wal_checkpoint(passive)')
  parentPort?.on('message', () => {
    try {
      // Each time less is left of what others write meanwhile.
      for (let n = 0; n < 3; n++) checkpoint.get()
    } catch {
      // What ails the file, the next write tells.
    }
    parentPort?.postMessage('copied')
  })
}
