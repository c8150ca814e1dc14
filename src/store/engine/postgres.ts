import pg from 'pg'
import sql, { type Sql } from 'sql-template-tag'
import { ConductError } from '../../api/error.ts'
import { channel, createWatcher } from './commits.ts'
import type { Db, Dialect, Tx } from './db.ts'
import { isConflict, translate } from './postgres/errors.ts'
import { changeSchema } from './postgres/schema.ts'
import { runWork } from './transaction.ts'

const dialect: Dialect = {
  id: 'bigint generated always as identity primary key',
  text: 'text collate "C"',
  integer: 'bigint',
  real: 'double precision',
  tableEnd: '',
  forUpdate: sql`for update`,
  concurrently: 'concurrently',
  alone: sql`select pg_advisory_xact_lock(7239450182)`,
  commitsInOrder: false,
  searchWords: (table) => [
    `create table ${table} (rowid bigint primary key, words tsvector not null)`,
    `create index ${table}_inverted on ${table} using gin (words)`,
  ],
  words: (words) => sql`array_to_tsvector(cast(${`{${words.join(',')}}`} as text[]))`,
  matches(_table, { wanted, terms, without }) {
    const all = (words: string[]) => `${words.join(' & ')}:*`
    const must = [...wanted.map((some) => `(${some.join(' | ')})`), all(terms)].join(' & ')
    return sql`words @@ cast(${without ? `${must} & !(${all(without)})` : must} as tsquery)`
  },
  afterwards: sql`+ 0`,
}

const int8 = 20
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text')),
}
/** Texts that get a name, and so are parsed once per connection; a text that varies without end must not fill the server. */
const statementsNamed = 200
const clockEveryMs = 60_000
const notifyAfterMs = 20
/** How often a work is run again after the engine gave it up for a deadlock or a serialization failure. */
const attempts = 5

/** Opens the PostgreSQL database at `url`. Throws UNAVAILABLE when it cannot be reached. `warn` is told of lost idle connections. */
export async function openPostgres(url: string, warn: (error: Error) => void): Promise<Db> {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'conduct',
    max: 10,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 30_000,
    pipeline: true,
    types,
  })
  pool.on('error', warn)
  pool.on('connect', (client) => {
    // A connection that is lost while a transaction holds it: the transaction's next statement tells.
    client.on('error', () => {})
    // Every statement reads a page or less: neither compiling it nor sharing it among workers can pay.
    client.query('set jit = off; set max_parallel_workers_per_gather = 0').catch(warn)
  })
  const nameOf = statementNames()
  const watcher = createWatcher(url, warn)
  const underWay = new Set<Promise<unknown>>()
  let clockOffset = 0
  let closed = false
  let isNoticeDue = false

  async function run<Row extends object>(client: pg.Pool | pg.PoolClient, statement: Sql): Promise<Row[]> {
    const { text } = statement
    try {
      return (await client.query<Row>({ name: nameOf(text), text, values: statement.values })).rows
    } catch (error) {
      throw translate(error)
    }
  }

  /** A connection of its own, without the time limits of requests. */
  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url, application_name: 'conduct upgrade', types, keepAlive: true })
    client.on('error', warn)
    await client.connect()
    return client
  }

  async function readClock() {
    const before = Date.now()
    const [row] = await run<{ now: number }>(
      pool,
      sql`select extract(epoch from clock_timestamp())::float8 * 1000 as now`,
    )
    clockOffset = (row?.now ?? before) - (before + Date.now()) / 2
  }

  const now = () => Math.round(Date.now() + clockOffset)
  const base = { dialect, now }

  async function once<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await pool.connect().catch((error) => Promise.reject(translate(error)))
    let broken = false
    try {
      // Not awaited: `begin` travels with the first statement.
      const begun = run(client, sql`begin`)
      begun.catch(() => {})
      const value = await runWork(base, (statement) => run(client, statement), work)
      await begun
      await commit(client)
      return value
    } catch (error) {
      await run(client, sql`rollback`).catch(() => {
        broken = true
      })
      throw error
    } finally {
      client.release(broken)
    }
  }

  /** Tells the watchers of all servers of a commit: after it, since inside it the notice would queue the writers; once for many. */
  function notify() {
    if (isNoticeDue) return
    isNoticeDue = true
    const tell = () => {
      isNoticeDue = false
      if (!closed) run(pool, sql`select pg_notify(${channel}, '')`).catch(warn)
    }
    setTimeout(tell, notifyAfterMs).unref()
  }

  /** Runs a work until the engine takes it: after a deadlock or a serialization failure nothing of it is left. */
  async function repeat<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(work)
      } catch (error) {
        if (attempt === attempts || !(error instanceof ConductError && isConflict(error.cause))) throw error
      }
    }
  }

  await readClock().catch(async (error) => {
    await pool.end()
    throw error
  })
  const clock = setInterval(() => readClock().catch(warn), clockEveryMs).unref()

  return {
    dialect,
    now,
    fault: () => undefined,
    query: (statement) => run(pool, statement),
    tx(work) {
      if (closed) return Promise.reject(new ConductError('UNAVAILABLE', 'The server is stopping.', { retryAfter: 1 }))
      const running = repeat(work)
      underWay.add(running)
      running.then(notify, () => {})
      return running.finally(() => underWay.delete(running))
    },
    watch: watcher.watch,
    changeSchema: (work, onWait) => changeSchema(connect, base, work, onWait),
    async close() {
      if (closed) return
      closed = true
      clearInterval(clock)
      watcher.close()
      await Promise.allSettled(underWay)
      await pool.end()
    },
  }
}

/** PostgreSQL answers `commit` with ROLLBACK, and no error, where an earlier error had ended the transaction. */
async function commit(client: pg.PoolClient) {
  const { command } = await client.query('commit').catch((error) => Promise.reject(translate(error)))
  if (command !== 'COMMIT') throw new Error(`The commit was answered with ${command}.`)
}

/** Gives a name to texts that come again. */
function statementNames() {
  const names = new Map<string, string>()
  return (text: string): string | undefined => {
    const name = names.get(text)
    if (!name && names.size < statementsNamed) names.set(text, `conduct_${names.size}`)
    return name
  }
}
