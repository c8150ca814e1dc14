import { Worker } from 'node:worker_threads'
import sql, { raw } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { only, type Tx } from '../db.ts'
import { translate } from './statements.ts'

/** How many pages a transaction gives back: a few milliseconds of work. */
const pagesAtOnce = 64
/** The share of the file that may stay free for new rows, so that it does not shrink and grow all the time. */
const keptShare = 0.2
/** The same in pages, for a small file. */
const keptPages = 256

interface Pages {
  pages: number
  free: number
  mode: number
}

interface Shrinking {
  /** Reads outside a transaction. */
  query: Tx['query']
  tx: Tx['tx']
  /** Copies the log into the file, which only then becomes shorter. */
  copyLog(): void
}

/**
 * Makes the file of a database shorter when much of it is free, a little at a time: SQLite moves pages from the end of the
 * file into free ones. This needs `auto_vacuum = incremental`. Returns a function that does some of it, and returns whether
 * there may be more.
 */
export function createShrinker({ query, tx, copyLog }: Shrinking): () => Promise<boolean> {
  let isUnderWay = false
  return async () => {
    const { pages, free, mode } = only(
      await query<Pages>(sql`
        select page_count as pages, freelist_count as free, auto_vacuum as mode
        from pragma_page_count, pragma_freelist_count, pragma_auto_vacuum`),
    )
    const isMuchFree = mode === 2 && free > Math.max(pages * keptShare, keptPages)
    if (isMuchFree) await tx((tx) => tx.query(raw(`pragma incremental_vacuum(${pagesAtOnce})`)))
    else if (isUnderWay) copyLog()
    isUnderWay = isMuchFree
    return isMuchFree
  }
}

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
