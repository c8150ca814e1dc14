import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { config, settle } from './connect.ts'
import { isStale, translate } from './errors.ts'
import { socketOf } from './statements.ts'

const goodbyeMs = 500

export interface PoolOptions {
  url: string
  max: number
  /** Settings beside those that all connections have. */
  settings?: Record<string, string>
  /** Receives the database's clock as a new connection reads it. */
  onClock(offset: number | undefined): void
  warn(error: Error): void
}

export type Pool = ReturnType<typeof createPool>

/** Connections to one database. */
export function createPool({ url, max, settings, onClock, warn }: PoolOptions) {
  const pool = new pg.Pool({ ...config(url), max })
  const open = new Set<pg.ClientBase>()
  let current = new WeakSet<pg.ClientBase>()
  let closed = false
  pool.on('error', (error) => closed || warn(error))
  const settling = new WeakMap<pg.ClientBase, Promise<unknown>>()
  pool.on('connect', (client) => {
    open.add(client)
    current.add(client)
    // A connection that is lost while a transaction holds it: the transaction's next statement tells.
    client.on('error', () => {})
    settling.set(
      client,
      settle(client, settings).then(onClock, (error) => closed || warn(error)),
    )
  })
  pool.on('remove', (client) => open.delete(client))

  /** A connection, which must be given back. Throws UNAVAILABLE. */
  async function take(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await pool.connect().catch((error) => Promise.reject(translate(error)))
      // Until it is known whether a pooler stands between, a transaction would take it for one.
      await settling.get(client)
      if (current.has(client)) return client
      client.release(true)
    }
  }

  /** Gives a connection back, after an error of it where there was one. */
  function give(client: pg.PoolClient, error?: unknown, broken = false) {
    // What one connection found, a database that is silent or takes no writes, the others would find again.
    if (isStale(error)) current = new WeakSet()
    client.release(broken || !current.has(client))
  }

  /** Ends the connections once they are given back, and after half a second those that are not, or do not answer. */
  async function close() {
    closed = true
    const ended = Promise.all([pool.end(), ...[...open].map((client) => once(client, 'end'))])
    await Promise.race([ended, sleep(goodbyeMs, undefined, { ref: false })])
    for (const client of open) socketOf(client).destroy()
  }

  return { take, give, close }
}
