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

/** Connections to one database. */
export class Pool {
  readonly #options: PoolOptions
  readonly #pool: pg.Pool
  readonly #open = new Set<pg.ClientBase>()
  readonly #settling = new WeakMap<pg.ClientBase, Promise<unknown>>()
  /** The connections that may be used again. */
  #current = new WeakSet<pg.ClientBase>()
  #isClosed = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#pool = new pg.Pool({ ...config(options.url), max: options.max })
    this.#pool.on('error', (error) => this.#warn(error))
    this.#pool.on('connect', (client) => this.#settle(client))
    this.#pool.on('remove', (client) => this.#open.delete(client))
  }

  /** A connection, which must be given back. Throws UNAVAILABLE. */
  async take(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await this.#pool.connect().catch((error) => Promise.reject(translate(error)))
      // Until it is known whether a pooler stands between, a transaction would take it for one.
      await this.#settling.get(client)
      if (this.#current.has(client)) return client
      client.release(true)
    }
  }

  /** Gives a connection back, with the error that it met, if any. */
  give(client: pg.PoolClient, error?: unknown, broken = false): void {
    // A database that is silent or read-only on one connection is so on the others.
    if (isStale(error)) this.#current = new WeakSet()
    client.release(broken || !this.#current.has(client))
  }

  /** Ends the connections once they are given back, and after half a second those that are not, or do not answer. */
  async close(): Promise<void> {
    this.#isClosed = true
    const ended = Promise.all([this.#pool.end(), ...[...this.#open].map((client) => once(client, 'end'))])
    await Promise.race([ended, sleep(goodbyeMs, undefined, { ref: false })])
    for (const client of this.#open) socketOf(client).destroy()
  }

  /** Sends a new connection its settings, and reads the database's clock on it. */
  #settle(client: pg.ClientBase): void {
    const { settings, onClock } = this.#options
    this.#open.add(client)
    this.#current.add(client)
    // When a transaction loses its connection, its next statement reports that.
    client.on('error', () => {})
    this.#settling.set(
      client,
      settle(client, settings).then(onClock, (error) => this.#warn(error)),
    )
  }

  #warn(error: Error): void {
    if (!this.#isClosed) this.#options.warn(error)
  }
}
