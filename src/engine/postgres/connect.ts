import pg from 'pg'
import { only } from '../db.ts'

/**
 * The time limit of a statement, enforced by PostgreSQL and, if it does not respond at all, by us. Including the time
 * to get a connection, no request waits longer than 35 s.
 */
const statementMs = 25_000
const answerMs = 28_000
export const connectMs = 5_000
/** How long a statement waits for a lock of another transaction. */
const lockMs = 5_000
/** How long a transaction of a frozen server keeps its locks. */
const idleMs = 3_000

const int8 = 20
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text')),
}

/**
 * Settings of a connection. They are not startup parameters, which poolers reject. Behind a pooler in transaction mode
 * a connection cannot keep settings either, so each transaction sets its own limits.
 */
const limits = {
  statement_timeout: statementMs,
  lock_timeout: lockMs,
  idle_in_transaction_session_timeout: idleMs,
}
/**
 * Every statement reads a page or less, so neither JIT compilation nor parallel workers can pay off. The pending list
 * of a GIN index stays within a few kilobytes: the statement that merges it blocks others, and each search reads it.
 */
const planning = { jit: 'off', max_parallel_workers_per_gather: 0, gin_pending_list_limit: '128kB' }

const isolation = 'read committed'
/**
 * Begins a transaction. Its statements wait for each other's locks and then see what was committed; under a stricter
 * default of the database they would fail.
 */
export const begin = `begin isolation level ${isolation}`

/** Begins a transaction whose statements all see the database as it is at its first one. */
export const beginReads = 'begin isolation level repeatable read read only'

/** Driver settings of every connection. */
export const driverSettings: pg.ClientConfig = {
  application_name: 'conduct',
  connectionTimeoutMillis: connectMs,
  query_timeout: answerMs,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  pipeline: true,
  types,
}

/** What a session may do, as reported by its server. */
export interface ServerRole {
  isStandby: boolean
  isReadOnly: boolean
}

/** The columns with which a statement asks for that. */
export const sessionColumns = `pg_is_in_recovery() as "isStandby", current_setting('transaction_read_only') = 'on' as "isReadOnly"`

/** Connections known to have no pooler in between. */
const direct = new WeakSet<pg.ClientBase>()
/** A clock that took longer than this to read is not exact. */
const clockMs = 1_000

interface Settled extends ServerRole {
  /**
   * The time of the database in Unix milliseconds, minus that of `performance.now()`; undefined if the response was too
   * late.
   */
  clock: number | undefined
}

/**
 * Configures a connection, and reads the clock of the database and what the session may do. A pooler shows by a process
 * id that is not the server's.
 */
export async function settle(client: pg.ClientBase, more: Record<string, string> = {}): Promise<Settled> {
  const settings = Object.entries({ ...limits, ...planning, default_transaction_isolation: isolation, ...more })
  const { processID } = client as pg.ClientBase & { processID: number }
  const values = settings.map(([name, value]) => `('${name}', '${value}')`).join(', ')
  const sent = performance.now()
  const { rows } = await client.query<ServerRole & { now: number; set: number }>(
    `select extract(epoch from clock_timestamp())::float8 * 1000 as now, ${sessionColumns},
      (select count(set_config(name, value, false))
      from (values ${values}) as settings (name, value) where pg_backend_pid() = ${processID}) as set`,
  )
  const { now, set, ...session } = only(rows)
  if (set > 0) direct.add(client)
  const took = performance.now() - sent
  return { ...session, clock: took < clockMs ? now - sent - took / 2 : undefined }
}

/** Whether settings stay with this connection, and another one is available while this one is in a transaction. */
export const isDirect = (client: pg.ClientBase): boolean => direct.has(client)

/** The statements that begin a transaction with its own limits. */
export function beginOf(client: pg.ClientBase, own: Record<string, number>): string {
  const local = isDirect(client) ? own : { ...limits, ...own }
  return [begin, ...Object.entries(local).map(([name, value]) => `set local ${name} = ${value}`)].join('; ')
}
