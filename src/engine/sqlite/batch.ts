import type { DatabaseSync } from 'node:sqlite'
import sql from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { type Base, runWork, type Work } from '../transaction.ts'
import type { Run } from './statements.ts'

/** The connection for the transactions of a writer. */
export interface Connection {
  db: DatabaseSync
  write: Run
  base: Base
}

/** How long a batch begins more works, in milliseconds: nobody else is served meanwhile. */
const longestMs = 25

/**
 * Runs each work in a savepoint of the open transaction. Returns the acknowledgements to send after the commit. Moves
 * from `batch` to `requeue` the works that it has no time to begin. If the whole transaction is lost, it moves those that
 * have not run yet, and throws.
 */
export async function runBatch(
  { db, write, base }: Connection,
  batch: Work[],
  requeue: (works: Work[]) => void,
): Promise<(() => void)[]> {
  const acknowledgements: (() => void)[] = []
  const until = performance.now() + longestMs
  for (const [index, work] of batch.entries()) {
    write(sql`savepoint work`)
    try {
      acknowledgements.push(await runWork(base, write, (tx) => withinTick(work.run(tx))))
    } catch (error) {
      if (!db.isTransaction) {
        // A full disk has ended the whole transaction. Another savepoint would commit on its own.
        requeue(batch.splice(index + 1))
        throw lossOf(error)
      }
      write(sql`rollback to work`)
      acknowledgements.push(() => work.reject(error))
    }
    write(sql`release work`)
    if (performance.now() > until) requeue(batch.splice(index + 1))
  }
  return acknowledgements
}

/** The error for the callers of a batch whose transaction is lost. */
function lossOf(error: unknown): unknown {
  if (error instanceof ConductError && error.status >= 500) return error
  return new ConductError('UNAVAILABLE', 'The transaction was lost: try again.', { cause: error, retryAfter: 1 })
}

/** Throws if `work` awaits anything besides its own statements: every other writer waits while it runs. */
async function withinTick<T>(work: Promise<T>): Promise<T> {
  let tick: NodeJS.Immediate | undefined
  const foreign = new Promise<never>((_, reject) => {
    tick = setImmediate(() => reject(new Error('Bug: a transaction awaited something other than its own statements.')))
  })
  try {
    return await Promise.race([work, foreign])
  } finally {
    clearImmediate(tick)
    work.catch(() => {})
  }
}
