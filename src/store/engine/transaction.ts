import type { Sql } from 'sql-template-tag'
import { ConductError } from '../../api/error.ts'
import { DeadTransaction, type Tx } from './db.ts'

/** What all transactions of a database have in common. */
export interface Base extends Pick<Tx, 'dialect' | 'now'> {
  /** Undefined where statements cannot go past a transaction. */
  apart?: Tx['apart']
}

/** A transaction that a caller waits for. */
export interface Work {
  /** Runs it, and returns a function that gives the caller its result. */
  run(tx: Tx): Promise<() => void>
  /** Gives the caller the error. */
  reject(error: unknown): void
}

/** A work whose result goes to `resolve`, or whose error to `reject`. */
export const workOf = <T>(
  work: (tx: Tx) => Promise<T>,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): Work => ({
  async run(tx) {
    const value = await work(tx)
    return () => resolve(value)
  },
  reject,
})

/**
 * Runs `work` with a handle of the transaction that is open, which is dead once the work has returned or a statement has
 * failed. Throws what the work throws, or else the error of a statement that the work has caught.
 */
export async function runWork<T>(
  { dialect, now, apart }: Base,
  run: <Row extends object>(statement: Sql) => Row[] | Promise<Row[]>,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  let ended: unknown
  const tx: Tx = {
    dialect,
    now,
    get apart() {
      return apart ?? tx
    },
    async query<Row extends object>(statement: Sql) {
      if (ended) throw new DeadTransaction('The transaction is over.', { cause: ended })
      try {
        return await run<Row>(statement)
      } catch (error) {
        ended = error
        throw error
      }
    },
    tx: (nested) => nested(tx),
  }
  try {
    const value = await work(tx)
    if (ended) throw ended
    return value
  } finally {
    ended ??= 'The work has returned.'
  }
}

/** What is thrown by a database that is closed. */
export const stopping = () => new ConductError('UNAVAILABLE', 'The server is stopping.', { retryAfter: 1 })
