import { Worker } from 'node:worker_threads'
import { ConductError } from '../../contract/error.ts'
import { translate } from './statements.ts'

type Scrubbed = { isRead: boolean } | { error: string; errcode: number }

/**
 * Rewrites the database at `path` on a separate thread, and truncates its log. Throws UNAVAILABLE while someone reads
 * an older state from the log; INSUFFICIENT_STORAGE.
 */
export async function scrub(path: string): Promise<void> {
  const thread = new Worker(`(${rewrite})()`, { eval: true, execArgv: [], env: {}, workerData: path })
  const scrubbed = await new Promise<Scrubbed>((resolve, reject) => {
    thread.on('message', resolve)
    thread.on('error', reject)
  }).finally(() => thread.terminate())
  if ('error' in scrubbed) throw translate(Object.assign(new Error(scrubbed.error), { errcode: scrubbed.errcode }))
  if (scrubbed.isRead) {
    throw new ConductError(
      'UNAVAILABLE',
      `Another process is reading the database, so Conduct cannot empty ${path}-wal, which may still contain the deleted text: try again when that process is done.`,
      { retryAfter: 10, isPlanned: true },
    )
  }
}

/** The code of the thread. The thread gets only its source text, so it refers to nothing outside. */
function rewrite() {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  // How long it waits for a writer, and then for readers and other checkpoints.
  const patienceMs = 20_000
  const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
  try {
    const db = new DatabaseSync(workerData, { timeout: patienceMs })
    db.exec('pragma synchronous = full; pragma cache_size = -8000; pragma auto_vacuum = incremental; vacuum')
    // While another connection checkpoints, SQLite returns at once, whatever the timeout.
    const truncate = db.prepare('pragma wal_checkpoint(truncate)')
    const until = Date.now() + patienceMs
    db.exec('pragma busy_timeout = 1000')
    let isRead = truncate.get()?.busy !== 0
    for (; isRead && Date.now() < until; isRead = truncate.get()?.busy !== 0) pause()
    db.close()
    parentPort?.postMessage({ isRead })
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number }
    parentPort?.postMessage({ error: message, errcode: errcode ?? 0 })
  }
}
