import type { DatabaseSync } from 'node:sqlite'
import sql from 'sql-template-tag'
import { ConductError } from '../../../api/error.ts'
import { type Base, runWork, type Work } from '../transaction.ts'
import type { Run } from './statements.ts'

/** The connection on which a writer has its transactions. */
export interface Connection {
  db: DatabaseSync
  write: Run
  base: Base
}

/**
 * Runs each work in a savepoint of the open transaction. Returns the acknowledgements to send after the commit. Throws when
 * the transaction itself is lost, after it has passed the works that did not run yet to `requeue` and removed them from
 * `batch`.
 */
export async function runBatch(
  { db, write, base }: Connection,
  batch: Work[],
  requeue: (works: Work[]) => void,
): Promise<(() => void)[]> {
  const acknowledgements: (() => void)[] = []
  for (const [index, work] of batch.entries()) {
    write(sql`savepoint work`)
    try {
      acknowledgements.push(await runWork(base, write, (tx) => withinTick(work.run(tx))))
    } catch (error) {
      if (!db.isTransaction) {
        // A full disk ended the transaction, not just the work; a further savepoint would commit alone.
        requeue(batch.splice(index + 1))
        throw lossOf(error)
      }
      write(sql`rollback to work`)
      acknowledgements.push(() => work.reject(error))
    }
    write(sql`release work`)
  }
  return acknowledgements
}

/** What the callers of a batch are told when its transaction is lost. */
function lossOf(error: unknown): unknown {
  if (error instanceof ConductError && error.status >= 500) return error
  return new ConductError('UNAVAILABLE', 'The transaction was lost: try again.', { cause: error, retryAfter: 1 })
}

/** Throws when `work` awaits more than statements of its own: while it runs, every other writer waits. */
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
