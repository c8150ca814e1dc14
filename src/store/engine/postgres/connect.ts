import pg from 'pg'
import { only } from '../db.ts'

/**
 * How long a statement may run, by the server's judgement and, where that does not answer at all, by ours. Together with the
 * time for a connection no request waits for more than 35 s.
 */
const statementMs = 25_000
const answerMs = 28_000
export const connectMs = 5_000
/** How long a statement waits for the lock of another transaction. */
const lockMs = 5_000
/** How long a transaction of a server that stands still keeps its locks. */
const idleMs = 3_000

const int8 = 20
export const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text')),
}

/**
 * Settings of a connection. They are no startup parameters, which poolers refuse. Behind a pooler in transaction mode
 * a connection cannot keep settings either, and each transaction makes those that limit it.
 */
const limits = {
  statement_timeout: statementMs,
  lock_timeout: lockMs,
  idle_in_transaction_session_timeout: idleMs,
}
/**
 * Every statement reads a page or less: neither compiling it nor sharing it among workers can pay. Words that wait to be
 * entered into an index are few kilobytes: the statement that enters them holds up others, and each search reads them.
 */
const planning = { jit: 'off', max_parallel_workers_per_gather: 0, gin_pending_list_limit: '128kB' }

/** What the driver is told for every connection, wherever it leads. */
export const driverSettings: pg.ClientConfig = {
  application_name: 'conduct',
  connectionTimeoutMillis: connectMs,
  query_timeout: answerMs,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  pipeline: true,
  types,
}

/** What a session is allowed, as its server says. */
export interface Session {
  isStandby: boolean
  isReadOnly: boolean
}

/** The columns by which a statement asks for that. */
export const sessionColumns = `pg_is_in_recovery() as "isStandby", current_setting('transaction_read_only') = 'on' as "isReadOnly"`

/** Connections of which it is known that no pooler stands between. */
const direct = new WeakSet<pg.ClientBase>()
/** A clock that was read more slowly than this is not exact. */
const clockMs = 1_000

export interface Settled extends Session {
  /** The database's time in Unix milliseconds less that of `performance.now()`; undefined when the answer came late. */
  clock: number | undefined
}

/**
 * Sends a connection its settings, and asks for the database's clock and what the session is allowed. A pooler gives
 * itself away by a process id that is not the server's.
 */
export async function settle(client: pg.ClientBase, more: Record<string, string> = {}): Promise<Settled> {
  const settings = Object.entries({ ...limits, ...planning, ...more })
  const { processID } = client as pg.ClientBase & { processID: number }
  const values = settings.map(([name, value]) => `('${name}', '${value}')`).join(', ')
  const sent = performance.now()
  const { rows } = await client.query<Session & { now: number; set: number }>(
    `select extract(epoch from clock_timestamp())::float8 * 1000 as now, ${sessionColumns},
      (select count(set_config(name, value, false))
      from (values ${values}) as settings (name, value) where pg_backend_pid() = ${processID}) as set`,
  )
  const { now, set, ...session } = only(rows)
  if (set > 0) direct.add(client)
  const took = performance.now() - sent
  return { ...session, clock: took < clockMs ? now - sent - took / 2 : undefined }
}

/** Whether settings stay with this connection, and another one can be had while this one is in a transaction. */
export const isDirect = (client: pg.ClientBase): boolean => direct.has(client)

/** What begins a transaction with limits of its own. */
export function beginOf(client: pg.ClientBase, own: Record<string, number>): string {
  const local = isDirect(client) ? own : { ...limits, ...own }
  return ['begin', ...Object.entries(local).map(([name, value]) => `set local ${name} = ${value}`)].join('; ')
}
