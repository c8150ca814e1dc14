import type { Sql } from 'sql-template-tag'
import { ConductError } from '../contract/error.ts'
import { DeadTransaction, type Tx } from './db.ts'

/** What all transactions of a database share. */
export interface Base extends Pick<Tx, 'dialect' | 'now'> {
  /** Undefined if statements cannot run outside a transaction. */
  apart?: Tx['apart']
}

/** A transaction that a caller waits for. */
export interface QueuedTransaction {
  /** Runs it. Returns a function that resolves the caller's promise. */
  run(tx: Tx): Promise<() => void>
  /** Rejects the caller's promise. */
  reject(error: unknown): void
}

/** A work that passes its result to `resolve`, or its error to `reject`. */
export const workOf = <T>(
  work: (tx: Tx) => Promise<T>,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): QueuedTransaction => ({
  async run(tx) {
    const value = await work(tx)
    return () => resolve(value)
  },
  reject,
})

/**
 * Runs `work` with a handle of the open transaction. The handle is dead once the work has finished or a statement has
 * failed. Throws the error of the work, or of a statement whose error the work caught.
 */
export async function runWork<T>(
  { dialect, now, apart }: Base,
  run: <Row extends object>(statement: Sql) => Row[] | Promise<Row[]>,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  let failure: unknown
  let isOver = false
  const tx: Tx = {
    dialect,
    now,
    get apart() {
      return apart ?? tx
    },
    async query<Row extends object>(statement: Sql) {
      if (isOver || failure) throw new DeadTransaction('The transaction is over.', { cause: failure })
      try {
        return await run<Row>(statement)
      } catch (error) {
        // Statements that were sent with the failed one only report that the transaction is aborted.
        failure ??= error
        throw failure
      }
    },
    moment: (reads) => reads(tx),
    tx: (nested) => nested(tx),
  }
  try {
    const value = await work(tx)
    if (failure) throw failure
    return value
  } finally {
    isOver = true
  }
}

/** The error of a closed database. */
export const stopping = () =>
  new ConductError('UNAVAILABLE', 'The server is stopping.', { retryAfter: 1, isPlanned: true })
