import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { connectMs, driverSettings, settle } from './connect.ts'
import { isStale, translate } from './errors.ts'
import type { PostgresHosts } from './hosts.ts'
import { refuseOthers } from './server.ts'
import { socketOf } from './statements.ts'

const goodbyeMs = 500

export interface PoolOptions {
  hosts: PostgresHosts
  max: number
  /** Settings in addition to those of all connections. */
  settings?: Record<string, string>
  /** Receives the clock of the database from each new connection. */
  onClock(offset: number | undefined): void
  warn(error: Error): void
}

/** Connections to one database. */
export class Pool {
  readonly #options: PoolOptions
  readonly #pool: pg.Pool
  readonly #open = new Set<pg.ClientBase>()
  /** The error that makes a new connection unusable, once known. */
  readonly #settling = new WeakMap<pg.ClientBase, Promise<Error | undefined>>()
  readonly #stopMoving: () => void
  #isClosed = false

  constructor(options: PoolOptions) {
    this.#options = options
    const { hosts, max } = options
    const settings = { ...driverSettings, connectionTimeoutMillis: connectMs, Client: hosts.clientClass() }
    this.#pool = new pg.Pool({ ...settings, max })
    this.#pool.on('error', (error) => this.#warn(error))
    this.#pool.on('connect', (client) => this.#settle(client))
    this.#pool.on('remove', (client) => this.#open.delete(client))
    this.#stopMoving = hosts.onMove(() => this.#leave())
  }

  /** Takes a connection, which must be given back. Throws UNAVAILABLE. */
  async take(): Promise<pg.PoolClient> {
    const { hosts } = this.#options
    let failure: unknown
    for (const _ of hosts.attempts()) {
      try {
        return await this.#takeCurrent()
      } catch (error) {
        failure = error
      }
    }
    throw translate(failure)
  }

  /** Takes a usable connection and closes discarded ones. Throws the error of a new one. */
  async #takeCurrent(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await this.#pool.connect()
      // Until the connection is known to be direct, a transaction would assume a pooler.
      const failure = await this.#settling.get(client)
      if (!failure && this.#options.hosts.isCurrent(client)) return client
      client.release(true)
      if (failure) throw failure
    }
  }

  /** Gives a connection back, with its error if there was one. */
  give(client: pg.PoolClient, error?: unknown, broken = false): void {
    const { hosts } = this.#options
    // A database that is silent or read-only on one connection is so on the others.
    if (isStale(error)) hosts.renew()
    client.release(broken || !hosts.isCurrent(client))
  }

  /** Ends connections when they are given back. After half a second it ends the rest, and those that do not respond. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopMoving()
    const ended = Promise.all([this.#pool.end(), ...[...this.#open].map((client) => once(client, 'end'))])
    await Promise.race([ended, sleep(goodbyeMs, undefined, { ref: false })])
    for (const client of this.#open) socketOf(client).destroy()
  }

  /** Configures a new connection, reads the clock, and accepts it if its host is suitable. */
  #settle(client: pg.ClientBase): void {
    const { hosts, settings, onClock } = this.#options
    this.#open.add(client)
    // If a transaction loses its connection, its next statement reports that.
    client.on('error', () => {})
    const settled = async () => {
      if (!hosts.isKnown) await refuseOthers(client)
      const { clock, ...session } = await settle(client, settings)
      onClock(clock)
      hosts.accept(client, session)
      return undefined
    }
    this.#settling.set(
      client,
      settled().catch((error) => error),
    )
  }

  /** Closes connections to a host that is no longer in use, because it may never respond. */
  #leave(): void {
    for (const client of this.#open) if (!this.#options.hosts.isCurrent(client)) socketOf(client).destroy()
  }

  #warn(error: Error): void {
    if (!this.#isClosed) this.#options.warn(error)
  }
}
