import { statSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import sql from 'sql-template-tag'
import { logBytes } from './connect.ts'
import type { RunStatement } from './statements.ts'

/** How many pages the log may have before it is copied into the file. */
const logPages = 4000

/** The row of `pragma wal_checkpoint`: the pages of the log, and how many of them are in the file. */
interface Pages {
  log: number
  checkpointed: number
}

/**
 * Copies the log of the database at `path` into its file on a thread with its own connection: this takes tens of
 * milliseconds, during which nobody could be served. If the thread fails, the writing connection does it once its
 * `wal_autocheckpoint` is reached.
 */
export function createCheckpointer(path: string, write: RunStatement, warn: (error: Error) => void) {
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

  /** Copies the little that was committed meanwhile: a log restarts only when all of it is in the file. */
  function finish() {
    try {
      write(sql`pragma wal_checkpoint(passive)`)
    } catch {
      // The next write reports a fault of the file.
    }
  }

  function copy() {
    if (isBusy || hasFailed) return
    isBusy = true
    thread ??= start()
    thread.postMessage('copy')
  }

  return {
    /** Called after each commit. */
    written() {
      if (isBusy || hasFailed) return
      const [pages] = write<Pages>(sql`pragma wal_checkpoint(noop)`)
      if (pages && pages.log - pages.checkpointed >= logPages) copy()
    },
    /** Copies the log now, however short it is. */
    copy,
    /** Ends once the thread has finished its current work. */
    async close() {
      await thread?.terminate()
    },
  }
}

/** The code of the thread. The thread gets only its source text, so it refers to nothing outside. */
function copyLog() {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  const db = new DatabaseSync(workerData)
  db.exec('pragma synchronous = full; pragma wal_autocheckpoint = 0; pragma cache_size = -100')
  const checkpoint = db.prepare('pragma wal_checkpoint(passive)')
  parentPort?.on('message', () => {
    try {
      // Each round leaves less of what others write meanwhile.
      for (let n = 0; n < 3; n++) checkpoint.get()
    } catch {
      // The next write reports a fault of the file.
    }
    parentPort?.postMessage('copied')
  })
}

const idleMs = 2_000

/**
 * Truncates a large log once nobody has written for a moment. SQLite itself truncates it only during writes. By then
 * most of the log is already in the file, so this takes milliseconds.
 */
export function createTrimmer(log: string, write: RunStatement) {
  const timer = setTimeout(trim, idleMs).unref()

  function trim() {
    try {
      if (statSync(log).size <= logBytes) return
      const [row] = write<{ busy: number }>(sql`pragma wal_checkpoint(truncate)`)
      // Another process still reads the log.
      if (row?.busy) timer.refresh()
    } catch {
      // The next write reports a fault of the file.
    }
  }

  return {
    /** Restarts the wait. */
    written: () => timer.refresh(),
    close: () => clearTimeout(timer),
  }
}
