import { dirname, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Sql } from 'sql-template-tag'
import sql from 'sql-template-tag'
import type { Db, Tx } from './db.ts'
import { createCheckpointer, createTrimmer } from './sqlite/checkpoint.ts'
import { connect, createPrivately, followLinks } from './sqlite/connect.ts'
import { dialect } from './sqlite/dialect.ts'
import { createFaults, type Faults } from './sqlite/faults.ts'
import { fileGuard } from './sqlite/file.ts'
import { copySnapshot, openSnapshot } from './sqlite/snapshot.ts'
import { type RunStatement, statements } from './sqlite/statements.ts'
import { ownTx, sharedReads } from './sqlite/transactions.ts'
import { createShrinker, scrub } from './sqlite/vacuum.ts'
import { createWatcher } from './sqlite/watch.ts'
import { Writer } from './sqlite/writer.ts'
import { stopping } from './transaction.ts'

const base = { dialect, now: Date.now }
type Warn = (error: Error) => void

/**
 * Opens the SQLite file at `path`, which is created with its folder if needed, or a database in memory for `:memory:`.
 * `warn` receives errors that no caller waits for.
 */
export const openSqlite = (path: string, warn: Warn = () => {}): Db =>
  path === ':memory:' ? openMemory() : openFile(followLinks(resolve(path)), warn)

function openFile(path: string, warn: Warn): Db {
  createPrivately(path, 'ledger')
  const faults = createFaults(path, warn)
  const { reader, read, writer, write, close } = connectTwice(path, faults)
  const readVersion = versionReader(read)
  const files = fileGuard(path, readVersion, faults.replaced)
  const reads = sharedReads(read, () => reader.exec('rollback'))
  const watcher = createWatcher({ log: `${path}-wal`, readVersion, warn })
  const trimmer = createTrimmer(`${path}-wal`, write)
  const checkpointer = createCheckpointer(path, write, warn)
  const afterCommit = () => {
    files.check()
    trimmer.written()
    checkpointer.written()
    watcher.committed()
  }
  // A caller with a response must read its own write. An open read would also keep the log from being truncated.
  const beforeCommit = () => {
    reads.end()
    files.check()
  }
  const works = new Writer({ db: writer, write, base, beforeCommit, afterCommit })
  const query = async <Row extends object>(statement: Sql) => {
    if (!reader.isOpen) throw stopping()
    return reads.read<Row>(statement)
  }
  return {
    ...base,
    fault: faults.found,
    risks: async () => [],
    replication: async () => undefined,
    query,
    // Those of one turn of the event loop share a transaction.
    moment: (reads) => reads({ query }),
    tx: works.tx,
    apart: apartIn(works.tx),
    watch: watcher.watch,
    async snapshot() {
      if (!reader.isOpen) throw stopping()
      return openSnapshot(path)
    },
    changeSchema: (work, onWait) => changeSchema(connectToMigrate(path), work, onWait).finally(reads.end),
    async scrub() {
      reads.end()
      await scrub(path)
    },
    giveBack: createShrinker({ query, tx: works.tx, copyLog: checkpointer.copy }),
    async close() {
      watcher.close()
      trimmer.close()
      await works.close()
      reads.end()
      // The last connection to close copies the log into the file, which may have been overwritten.
      try {
        files.check()
      } catch {}
      await Promise.all([checkpointer.close(), faults.close()])
      close()
      files.close()
    },
  }
}

/**
 * A connection whose sorts, for new indexes, use files in the folder of the ledger, which can be written to and has the
 * space. In memory, they would need as much of it as the indexes are large.
 */
function connectToMigrate(path: string): DatabaseSync {
  const own = connect(path, 'pragma busy_timeout = 0', 'pragma temp_store = file')
  try {
    // For all connections of the process. The others keep such data in memory.
    own.exec(`pragma temp_store_directory = '${dirname(path).replaceAll("'", "''")}'`)
  } catch {
    // A folder that cannot be written to leaves SQLite its own choice.
  }
  return own
}

/** The two connections of a file: one for transactions, one for concurrent reads. */
function connectTwice(path: string, faults: Faults) {
  const writer = connect(path, 'pragma busy_timeout = 0')
  const reader = connect(path, 'pragma query_only = on')
  return {
    writer,
    write: statements(writer, faults),
    reader,
    read: statements(reader, faults),
    close() {
      for (const db of [reader, writer]) if (db.isOpen) db.close()
    },
  }
}

/**
 * Reads a number that changes with each commit of another connection. The read creates the log and its index if
 * missing.
 */
const versionReader = (read: RunStatement) => () =>
  read<{ data_version: number }>(sql`pragma data_version`)[0]?.data_version ?? 0

/** One connection for everything. It reads only while it has no open transaction. */
function openMemory(): Db {
  const db = connect(':memory:')
  const run = statements(db)
  const watcher = createWatcher()
  const works = new Writer({ db, write: run, base, beforeCommit() {}, afterCommit: watcher.committed })
  const query = async <Row extends object>(statement: Sql) => {
    while (works.flushing) await works.flushing
    return run<Row>(statement)
  }
  return {
    ...base,
    fault: () => undefined,
    risks: async () => [],
    replication: async () => undefined,
    query,
    moment: (reads) => reads({ query }),
    tx: works.tx,
    apart: apartIn(works.tx),
    watch: watcher.watch,
    async snapshot() {
      while (works.flushing) await works.flushing
      return copySnapshot(db)
    },
    changeSchema: (work, onWait) => work(ownTx(db, base, onWait)),
    async scrub() {
      while (works.flushing) await works.flushing
      run(sql`vacuum`)
    },
    giveBack: async () => false,
    async close() {
      watcher.close()
      await works.close()
      if (db.isOpen) db.close()
    },
  }
}

/** Each statement that takes effect immediately is its own transaction. */
const apartIn = (tx: Db['tx']): Db['apart'] => ({ query: (statement) => tx((tx) => tx.query(statement)) })

async function changeSchema<T>(own: DatabaseSync, work: (tx: Tx) => Promise<T>, onWait: () => void): Promise<T> {
  try {
    return await work(ownTx(own, base, onWait))
  } finally {
    own.exec("pragma temp_store_directory = ''")
    own.close()
  }
}
