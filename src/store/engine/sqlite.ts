import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import sql, { empty, type Sql } from 'sql-template-tag'
import { ConductError } from '../../api/error.ts'
import type { Db, Dialect, Tx } from './db.ts'
import { isBusy, statements } from './sqlite-statements.ts'
import { type Base, runWork } from './transaction.ts'

const dialect: Dialect = {
  id: 'integer primary key autoincrement',
  text: 'text',
  integer: 'integer',
  real: 'real',
  tableEnd: 'strict',
  forUpdate: empty,
  // `begin immediate` has done it.
  alone: sql`select 1`,
  concurrently: '',
  commitsInOrder: true,
  searchWords: (table) => [
    `create virtual table ${table} using fts5 (words, content = '', contentless_delete = 1, tokenize = 'ascii', detail = 'none')`,
  ],
  words: (words) => sql`${words.join(' ')}`,
  matches(table, { wanted, terms, without }) {
    const all = (words: string[]) => `${words.join(' AND ')}*`
    const must = [...wanted.map((some) => `(${some.join(' OR ')})`), all(terms)].join(' AND ')
    return sql`${table} match ${without ? `(${must}) NOT (${all(without)})` : must}`
  },
  // FTS5 finds nothing in any other way.
  afterwards: empty,
}

/** Works that share one commit, at most. */
const batchSize = 256
/** How often the file is looked at for commits of others. */
const watchEveryMs = 250
/** How long `begin` waits for another process to let go of the file. */
const busyMs = 10_000
/** How long an upgrade of the database waits for that of another process. */
const upgradeMs = 3600_000

interface Work {
  run(tx: Tx): Promise<unknown>
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** Opens the SQLite file at `path` (created with its folder where missing), or a database in memory for `:memory:`. */
export function openSqlite(path: string): Db {
  const inMemory = path === ':memory:'
  if (!inMemory) createPrivately(resolve(path))
  const writer = connect(path)
  const reader = inMemory ? writer : connect(path, 'pragma query_only = on')
  writer.exec('pragma busy_timeout = 0')
  const write = statements(writer)
  const read = inMemory ? write : statements(reader)
  const base = { dialect, now: Date.now }
  const queue: Work[] = []
  let flushing: Promise<void> | undefined
  let closed = false

  /**
   * Reads that follow each other without waiting for anything share a transaction, which spares each of them the locks
   * on the file. It ends before the event loop hands over the next request, which may have been asked after a commit of
   * another process: no answer is older than its question.
   */
  function readShared(statement: Sql): object[] {
    if (!reader.isTransaction) {
      read(sql`begin`)
      process.nextTick(endReading)
    }
    return read(statement)
  }

  function endReading() {
    if (!inMemory && reader.isOpen && reader.isTransaction) read(sql`commit`)
  }

  async function flush() {
    while (queue.length > 0) {
      const batch: Work[] = []
      try {
        await begin(write)
        batch.push(...queue.splice(0, batchSize))
        await runBatch(batch)
      } catch (error) {
        giveUp()
        // When not even `begin` went through, the works that waited for it are the ones to tell.
        if (batch.length === 0) batch.push(...queue.splice(0, batchSize))
        for (const work of batch) work.reject(error)
      }
    }
    flushing = undefined
  }

  /** Rolls back what is open; where not even that works, the next `begin` tells. */
  function giveUp() {
    try {
      if (writer.isTransaction) writer.exec('rollback')
    } catch {}
  }

  /** Runs each work in its savepoint of the open transaction, commits, and only then answers. Throws what ended it all. */
  async function runBatch(batch: Work[]) {
    const answers: (() => void)[] = []
    for (const [index, work] of batch.entries()) {
      write(sql`savepoint work`)
      try {
        const value = await runOne(work)
        answers.push(() => work.resolve(value))
      } catch (error) {
        if (!writer.isTransaction) {
          // A full disk ended the transaction, not just the work; a further savepoint would commit alone.
          queue.unshift(...batch.splice(index + 1))
          throw isLoss(error)
            ? error
            : new ConductError('UNAVAILABLE', 'The transaction was lost: try again.', { cause: error, retryAfter: 1 })
        }
        write(sql`rollback to work`)
        answers.push(() => work.reject(error))
      }
      write(sql`release work`)
    }
    // Whoever is answered reads what was written; and an open read would keep the log from being emptied.
    endReading()
    write(sql`commit`)
    for (const answer of answers) answer()
  }

  /** One work, which must settle before the event loop turns: while it runs, every other writer waits. */
  const runOne = (work: Work) => runWork(base, write, (tx) => withinTurn(work.run(tx)))

  return {
    dialect,
    now: Date.now,
    async query<Row extends object>(statement: Sql) {
      // In memory there is one connection: wait until no transaction is open on it.
      while (inMemory && flushing) await flushing
      return (inMemory ? read(statement) : readShared(statement)) as Row[]
    },
    tx<T>(work: (tx: Tx) => Promise<T>) {
      if (closed) return Promise.reject(new ConductError('UNAVAILABLE', 'The server is stopping.', { retryAfter: 1 }))
      return new Promise<T>((resolve, reject) => {
        queue.push({ run: work, resolve: resolve as Work['resolve'], reject })
        flushing ??= new Promise<void>((done) => setImmediate(done)).then(flush)
      })
    },
    watch(wake) {
      // The version of the file moves with every commit of another connection, the writer's and those of other processes.
      const version = () => read(sql`pragma data_version`)[0] as { data_version: number }
      let seen = inMemory ? 0 : version().data_version
      const timer = setInterval(() => {
        if (closed) return clearInterval(timer)
        const now = inMemory ? seen + 1 : version().data_version
        if (now !== seen) wake()
        seen = now
      }, watchEveryMs).unref()
      return () => clearInterval(timer)
    },
    async changeSchema(work, onWait) {
      // In memory there is one connection, on which nothing has begun yet.
      const own = inMemory ? writer : connect(path, 'pragma busy_timeout = 0')
      try {
        return await work(ownTx(own, base, onWait))
      } finally {
        if (own !== writer) own.close()
        // Reads from here on see what it did.
        endReading()
      }
    },
    async close() {
      if (closed) return
      closed = true
      await flushing
      endReading()
      if (!inMemory) reader.close()
      writer.close()
    },
  }
}

/** A handle of a connection that waits for other processes as long as their upgrades may take. */
function ownTx(db: DatabaseSync, base: Base, onWait: () => void): Tx {
  const write = statements(db)
  const own: Tx = {
    ...base,
    query: (statement) => own.tx((tx) => tx.query(statement)),
    async tx(work) {
      await begin(write, upgradeMs, onWait)
      try {
        const value = await runWork(base, write, work)
        write(sql`commit`)
        return value
      } catch (error) {
        if (db.isTransaction) db.exec('rollback')
        throw error
      }
    },
  }
  return own
}

function createPrivately(path: string) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}

function connect(path: string, ...pragmas: string[]): DatabaseSync {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: busyMs })
  const version = String(db.prepare('select sqlite_version() as version').get()?.version)
  if (!isSafeVersion(version)) {
    throw new Error(`SQLite ${version} can corrupt a database in WAL mode: start Conduct on Node.js 24.15 or newer.`)
  }
  const mode = db.prepare('pragma journal_mode = wal').get()?.journal_mode
  db.exec(
    'pragma synchronous = full; pragma cache_size = -8000; pragma temp_store = memory; pragma wal_autocheckpoint = 4000',
  )
  for (const pragma of pragmas) db.exec(pragma)
  if (path !== ':memory:' && mode !== 'wal')
    throw new Error(`SQLite cannot use a write-ahead log for ${path}: put the file on a local disk.`)
  if (db.prepare('pragma synchronous').get()?.synchronous !== 2)
    throw new Error('SQLite did not take synchronous=FULL.')
  return db
}

/** Whether this SQLite is free of the bug in resetting the WAL: fixed in 3.51.3, and in 3.50.7 and 3.44.6 for their lines. */
export function isSafeVersion(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (major !== 3 || minor > 51) return major >= 3
  const fixed: Record<number, number> = { 51: 3, 50: 7, 44: 6 }
  return patch >= (fixed[minor] ?? Number.POSITIVE_INFINITY)
}

/** Throws when `work` awaits more than statements of its own. */
async function withinTurn<T>(work: Promise<T>): Promise<T> {
  let turn: NodeJS.Immediate | undefined
  const foreign = new Promise<never>((_, reject) => {
    turn = setImmediate(() => reject(new Error('Bug: a transaction awaited something other than its own statements.')))
  })
  try {
    return await Promise.race([work, foreign])
  } finally {
    clearImmediate(turn)
    work.catch(() => {})
  }
}

async function begin(write: (statement: Sql) => object[], waitMs = busyMs, onWait = () => {}) {
  const deadline = Date.now() + waitMs
  for (;;) {
    try {
      write(sql`begin immediate`)
      return
    } catch (error) {
      if (!(error instanceof ConductError && isBusy(error.cause)) || Date.now() > deadline) throw error
      onWait()
      await sleep(5 + Math.random() * 20)
    }
  }
}

const isLoss = (error: unknown) => error instanceof ConductError && error.status >= 500
