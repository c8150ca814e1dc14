import type { Sql } from 'sql-template-tag'
import { ConductError } from '../contract/error.ts'

/** What differs between the engines. All other SQL is written once. */
export interface SqlDialect {
  /** The column of a row's own key, which is never reused. */
  id: string
  /** Text compared byte by byte. */
  text: string
  integer: string
  real: string
  bytes: string
  /** What follows the closing bracket of a table. */
  tableEnd: string
  /** Ends a select whose row is about to change. */
  forUpdate: Sql
  /** After the name of a table: chooses an index, where the engine cannot judge by itself. */
  indexedBy(index: string): Sql
  /**
   * The rows of `table` whose column `id` is one of these. The engine finds them first, whatever other conditions and
   * orders there are.
   */
  ledBy(ids: number[], table: Sql, id: string): { from: Sql; where: Sql }
  /** Whether `id` is the value of a column of another table, which the engine reads first and in its order. */
  follows(id: string, column: string): Sql
  /**
   * Whether the columns of an index have these values, and its last one a number between two others. In the order of
   * these columns, the engine can then walk only along this index.
   */
  isWithin(columns: string[], values: (string | number)[], after: number, before: number): Sql
  /** Whether a column has one of these values, however many; there must be one. */
  isOneOf(column: string, values: string[] | number[]): Sql
  /** Returns a row if the schema of the ledger itself has a table or index of that name. */
  has(name: string): Sql
  /** A statement that only one transaction across all servers passes at a time. */
  alone: Sql
  /** The same for those with the same name. Missing where transactions run one after another. */
  aloneFor?(name: string): Sql
  /** The statements that create an index of words: `table (rowid, words)`. */
  searchWords(table: string): string[]
  /** The statements that `firstWord` needs. */
  vocabulary(table: string): string[]
  /**
   * The first word of such an index from `from` on, in the order of bytes; undefined if there is none. Missing if the
   * engine finds rows by a prefix as fast as by a word.
   */
  firstWord?(tx: Pick<Tx, 'query'>, table: string, from: string): Promise<string | undefined>
  /** The words of an entry, as a value for such an index. Words consist of letters, digits and ._/:@#- */
  words(words: string[]): Sql
  /** How many rows one statement inserts into an index of words. */
  wordRowsAtOnce: number
  /**
   * Does a little of the work that the engine would otherwise do all at once, while everyone waits. Returns whether
   * there may be more.
   */
  tidyWords(tx: Pick<Tx, 'query'>, table: string): Promise<boolean>
  /**
   * Drops a little of what an index of words keeps about deleted rows. Returns whether there may be more. On
   * PostgreSQL, `scrub` does this.
   */
  forgetWords(tx: Pick<Tx, 'query'>, table: string): Promise<boolean>
  /** A condition on an index of words. */
  matches(table: Sql, question: Question): Sql
  /**
   * Goes after a key in conditions and `order by`, so that the engine finds the rows by their words and then sorts them
   * instead of walking along the key.
   */
  afterwards: Sql
  /**
   * A sum may consist of several rows. This is the one that this process writes to, so that servers do not wait for
   * each other.
   */
  shard: number
  /** Reads the last id that a table has used, as `id`; 0 before the first. */
  lastId(table: string): Sql
  /** Sets the last id that the table has used. */
  setLastId(table: string, id: number): Sql[]
  /** Goes before the values of an insert that gives rows explicit ids. */
  ownIds: Sql
  /** A condition: whether the database accepts writes. Where it does not, reads show what is there. */
  isWritable: Sql
  /** Whether rows become visible in the order of their ids. If not, `src/log/number.ts` numbers events. */
  commitsInOrder: boolean
}

/** What a row of an index of words must contain. */
export interface WordQuery {
  /** At least one word of each of these. No group may be empty. */
  groups: string[][]
  /** And a word that begins with this. */
  prefix?: string | undefined
}

/** A query of an index of words. */
export interface Question extends WordQuery {
  /** What a row must not contain. */
  without?: WordQuery | undefined
}

/** What runs statements: a database or a transaction. */
export interface Tx {
  readonly dialect: SqlDialect
  /** The engine's clock in Unix milliseconds. */
  now(): number
  /**
   * Runs one statement. Outside a transaction, only for reading. Throws UniqueViolation, UNAVAILABLE,
   * INSUFFICIENT_STORAGE.
   */
  query<Row extends object>(statement: Sql): Promise<Row[]>
  /**
   * Runs `work` in a transaction, and resolves once it is durable. If the work rejects, nothing of it remains. A work
   * awaits only its own `tx`, never the network or another database handle, and may run again after a deadlock. A
   * nested `tx` joins the outer one. Any statement error ends the transaction, even if the work catches it. A work that
   * names the only `subject` it changes and locks may share a transaction with concurrent works of other subjects.
   */
  tx<T>(work: (tx: Tx) => Promise<T>, subject?: string): Promise<T>
  /**
   * Runs `reads`, whose statements all see the database as it is at one moment, with what this transaction has written. It
   * awaits only these statements.
   */
  moment<T>(reads: (moment: ReadOnly) => Promise<T>): Promise<T>
  /**
   * Runs statements that take effect immediately, whatever becomes of the transaction, and that do not make others wait
   * for its end. On SQLite, where transactions run one after another, and behind a PostgreSQL pooler, this is the
   * transaction itself.
   */
  readonly apart: Pick<Tx, 'query'>
}

/** Runs statements that only read. */
export type ReadOnly = Pick<Tx, 'query'>

/**
 * The database as it was at one moment, on its own connection, while others write. It uses space until it is closed.
 */
export interface DatabaseSnapshot extends Pick<Tx, 'dialect' | 'query'> {
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
  /** Opens a snapshot of the current state, without time limits. Throws UNAVAILABLE. */
  snapshot(): Promise<DatabaseSnapshot>
  /** Why this database should not be trusted until the server restarts; undefined if no reason is known. */
  fault(): ConductError | undefined
  /** Settings of the database that may lose acknowledged writes, in words for its operator. */
  risks(): Promise<string[]>
  /** The standbys of the database, and what holds its write-ahead log up; undefined where an engine has none of that. */
  replication(): Promise<Replication | undefined>
  /**
   * Calls `wake` soon after any process commits, until the returned function is called. It may call it without a
   * reason, and calls it late if watching fails.
   */
  watch(wake: () => void): () => void
  /**
   * Runs `work` on its own connection, without time limits. Other processes that call this wait: on PostgreSQL until
   * `work` has finished, on SQLite for each of its transactions. Calls `onWait` repeatedly while waiting.
   */
  changeSchema<T>(work: (own: Tx) => Promise<T>, onWait: () => void): Promise<T>
  /**
   * Removes what deleted and replaced rows left behind in the database, and returns the space. SQLite rewrites the
   * whole file while writers wait. Throws UNAVAILABLE while another connection still reads an older state, and
   * INSUFFICIENT_STORAGE without enough free space.
   */
  scrub(): Promise<void>
  /**
   * Returns some of the space of deleted rows to the disk, if much of the database is free. Returns whether there may be
   * more. PostgreSQL keeps its space for new rows.
   */
  giveBack(): Promise<boolean>
  close(): Promise<void>
}

/** The row of a statement that always returns one. Throws an Error if there is none. */
export function only<Row>(rows: Row[]): Row {
  const [row] = rows
  if (row === undefined) throw new Error('Bug: a statement returned no row.')
  return row
}

/** A row with this key already exists. */
export class UniqueViolation extends Error {
  override readonly name = 'UniqueViolation'
}

/** The error of a write that a full disk has stopped. */
export const diskFull = (cause: unknown) =>
  new ConductError(
    'INSUFFICIENT_STORAGE',
    'The disk is full: the server wrote no part of this request. Repeat it once its disk has space again.',
    { cause },
  )

/** The transaction has ended, or an earlier error has aborted it. */
export class DeadTransaction extends Error {
  override readonly name = 'DeadTransaction'
}
