import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { connectMs, driverSettings, settle } from './connect.ts'
import { isStale, translate } from './errors.ts'
import type { Hosts } from './hosts.ts'
import { refuseOthers } from './other.ts'
import { socketOf } from './statements.ts'

const goodbyeMs = 500

export interface PoolOptions {
  hosts: Hosts
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
  /** What made a new connection useless, once that is known. */
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

  /** A connection, which must be given back. Throws UNAVAILABLE. */
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

  /** A connection that may be used; those that were given up meanwhile go. Throws what a new one met. */
  async #takeCurrent(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await this.#pool.connect()
      // Until it is known whether a pooler stands between, a transaction would take it for one.
      const failure = await this.#settling.get(client)
      if (!failure && this.#options.hosts.isCurrent(client)) return client
      client.release(true)
      if (failure) throw failure
    }
  }

  /** Gives a connection back, with the error that it met, if any. */
  give(client: pg.PoolClient, error?: unknown, broken = false): void {
    const { hosts } = this.#options
    // A database that is silent or read-only on one connection is so on the others.
    if (isStale(error)) hosts.renew()
    client.release(broken || !hosts.isCurrent(client))
  }

  /** Ends the connections once they are given back, and after half a second those that are not, or do not answer. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopMoving()
    const ended = Promise.all([this.#pool.end(), ...[...this.#open].map((client) => once(client, 'end'))])
    await Promise.race([ended, sleep(goodbyeMs, undefined, { ref: false })])
    for (const client of this.#open) socketOf(client).destroy()
  }

  /** Sends a new connection its settings, reads the database's clock on it, and puts it to use if its host is fit. */
  #settle(client: pg.ClientBase): void {
    const { hosts, settings, onClock } = this.#options
    this.#open.add(client)
    // When a transaction loses its connection, its next statement reports that.
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

  /** Cuts what leads to the host that is not in use any more: whether it would still answer, nobody knows. */
  #leave(): void {
    for (const client of this.#open) if (!this.#options.hosts.isCurrent(client)) socketOf(client).destroy()
  }

  #warn(error: Error): void {
    if (!this.#isClosed) this.#options.warn(error)
  }
}
