import type { Sql } from 'sql-template-tag'
import type { ConductError } from '../../api/error.ts'

/** The words in which the engines differ; all other SQL is written once. */
export interface Dialect {
  /** Column definition of a row's own key, never handed out twice. */
  id: string
  /** Text that compares by its bytes. */
  text: string
  integer: string
  real: string
  bytes: string
  /** What follows a table's closing bracket. */
  tableEnd: string
  /** Ends a select whose row is about to be changed. */
  forUpdate: Sql
  /** A statement that lets one transaction of all servers at a time go past it. */
  alone: Sql
  /** What has an index built while others write to its table; empty where the engine cannot. */
  concurrently: 'concurrently' | ''
  /** The statements that make an index of words: `table (rowid, words)`. */
  searchWords(table: string): string[]
  /** The words of one entry, as a value of such an index; each word is of letters, digits and ._/:@#- */
  words(words: string[]): Sql
  /** How many rows one statement inserts into an index of words. */
  wordRowsAtOnce: number
  /**
   * Does a little of the work that the engine would otherwise do now and then all at once, while everybody waits. Returns
   * whether there may be more of it.
   */
  tidyWords(tx: Pick<Tx, 'query'>, table: string): Promise<boolean>
  /**
   * Drops a little of what an index of words keeps of rows that were deleted. Returns whether there may be more of it. On
   * PostgreSQL `scrub` does that.
   */
  forgetWords(tx: Pick<Tx, 'query'>, table: string): Promise<boolean>
  /** A condition on an index of words. */
  matches(table: Sql, question: Question): Sql
  /** After a key in `order by`: lets the engine find the rows by their words and then sort them, rather than go along the key. */
  afterwards: Sql
  /** Which of several rows that stand for one sum this process writes to, so that servers do not wait for each other. */
  shard: number
  /** Reads the last id that a table has handed out, as `id`; 0 before the first. */
  lastId(table: string): Sql
  /** Makes that id the last one that the table has handed out. */
  setLastId(table: string, id: number): Sql[]
  /** Stands before the values of an insert that gives rows the ids that they had elsewhere. */
  ownIds: Sql
  /** Whether rows become visible in the order of their ids. Where they do not, `store/event.ts` numbers events itself. */
  commitsInOrder: boolean
}

/** What is asked of an index of words. */
export interface Question {
  /** Groups of which one word each must be there. */
  wanted: string[][]
  /** Words that must all be there; the last may be the beginning of one. */
  terms: string[]
  /** Words that must not all be there, read like `terms`. */
  without?: string[]
}

/** What statements run on: a database, or a transaction of it. */
export interface Tx {
  readonly dialect: Dialect
  /** The engine's clock in Unix milliseconds. */
  now(): number
  /** Runs one statement. Outside a transaction it is for reading. Throws UniqueViolation, UNAVAILABLE, INSUFFICIENT_STORAGE. */
  query<Row extends object>(statement: Sql): Promise<Row[]>
  /**
   * Runs `work` in a transaction and answers once it is durable; a rejected work leaves nothing behind. A work awaits
   * only its own `tx`, never the network or another database handle, and may be run again after a deadlock. A nested
   * `tx` joins. Any error of a statement ends the transaction, even if the work catches it. A work that names the
   * `subject` which alone it changes and locks may share a transaction with works of other subjects that run beside it.
   */
  tx<T>(work: (tx: Tx) => Promise<T>, subject?: string): Promise<T>
  /**
   * Where a statement takes effect at once and for good, whatever becomes of the transaction, and keeps nobody waiting for
   * its end. On SQLite, where transactions come one after the other, and behind a pooler of PostgreSQL this is the
   * transaction itself.
   */
  readonly apart: Pick<Tx, 'query'>
}

/** The database as it was at one moment, on a connection of its own, while others write. It costs room until it is closed. */
export interface Snapshot extends Pick<Tx, 'dialect' | 'query'> {
  close(): Promise<void>
}

/** How PostgreSQL passes its write-ahead log on. */
export interface Replication {
  standbys: Standby[]
  slots: Slot[]
  /** Whether a commit waits for a synchronous standby. */
  waitsForStandby: boolean
  /** When the archive last took a segment, and when it last refused one, in Unix milliseconds; undefined without an archive. */
  archive: { archivedAt: number | null; failedAt: number | null } | undefined
}

/** Its figures are null where the user of the database may not see them. */
export interface Standby {
  name: string
  state: string | null
  /** `sync` or `quorum`: a commit waits for it. */
  sync: string | null
  behindBytes: number | null
}

/** A place in the write-ahead log from which on PostgreSQL keeps it. */
export interface Slot {
  name: string
  keptBytes: number
}

export interface Db extends Tx {
  /** Opens a view of this moment, without time limits. Throws UNAVAILABLE. */
  snapshot(): Promise<Snapshot>
  /** Why this database should not be relied on until the server is restarted; undefined while nothing is known. */
  fault(): ConductError | undefined
  /** What in the configuration of the database may lose what has been acknowledged, in words for its operator. */
  risks(): Promise<string[]>
  /** The standbys of the database, and what holds its write-ahead log up; undefined where an engine has none of that. */
  replication(): Promise<Replication | undefined>
  /**
   * Calls `wake` soon after something was committed, by this process or another, until the function that this gives is
   * called. It may be called for nothing; when the watch itself has a fault, it is called late.
   */
  watch(wake: () => void): () => void
  /**
   * Runs `work` on a connection of its own, on which no time limit holds. Other processes that call this wait: on PostgreSQL
   * until `work` has returned, on SQLite for each of its transactions. `onWait` is called again and again while this one waits.
   */
  changeSchema<T>(work: (own: Tx) => Promise<T>, onWait: () => void): Promise<T>
  /**
   * Removes what deleted and replaced rows left behind in the database, and gives the room back. SQLite rewrites the whole
   * file, and writers wait meanwhile. Throws UNAVAILABLE while another connection still reads what was there before, and
   * INSUFFICIENT_STORAGE where the room for that is missing.
   */
  scrub(): Promise<void>
  close(): Promise<void>
}

/** The row of a statement that always returns one. Throws an Error if it did not. */
export function only<Row>(rows: Row[]): Row {
  const [row] = rows
  if (row === undefined) throw new Error('Bug: a statement returned no row.')
  return row
}

/** A row with such a key is there already. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation'
}

/** The transaction was given up by an earlier error, or is over. */
export class DeadTransaction extends Error {
  override readonly name = 'DeadTransaction'
}
