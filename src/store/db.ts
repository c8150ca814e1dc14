import type { Sql } from 'sql-template-tag'

/** The words in which the engines differ; all other SQL is written once. */
export interface Dialect {
  /** Column definition of a row's own key, never handed out twice. */
  id: string
  /** Text that compares by its bytes. */
  text: string
  integer: string
  real: string
  /** What follows a table's closing bracket. */
  tableEnd: string
  /** Ends a select whose row is about to be changed. */
  forUpdate: Sql
  /** A statement that lets one transaction of all servers at a time go past it. */
  alone: Sql
  /** Whether rows become visible in the order of their ids. Where they do not, `store/event.ts` numbers events itself. */
  commitsInOrder: boolean
}

/** A database, or a transaction of it. */
export interface Db {
  readonly dialect: Dialect
  /** The engine's clock in Unix milliseconds. */
  now(): number
  /** Runs one statement. Outside a transaction it is for reading. Throws UniqueViolation, UNAVAILABLE, INSUFFICIENT_STORAGE. */
  query<Row extends object>(statement: Sql): Promise<Row[]>
  /**
   * Runs `work` in a transaction and answers once it is durable; a rejected work leaves nothing behind. A work awaits
   * only its own `tx`, never the network or another database handle, and may be run again after a deadlock. A nested
   * `tx` joins. Any error of a statement ends the transaction, even if the work catches it.
   */
  tx<T>(work: (tx: Db) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** A row with such a key is there already. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation'
}

/** The transaction was given up by an earlier error, or is over. */
export class DeadTransaction extends Error {
  override readonly name = 'DeadTransaction'
}
