import type pg from 'pg'
import type { Hosts } from './hosts.ts'
import { socketOf } from './statements.ts'

/** How often a listener calls `onNotice` without a notice, and reconnects if needed. */
const lookEveryMs = 1000

export interface ListenerOptions {
  hosts: Hosts
  channel: string
  /** Receives the payload of each notice; undefined if there may have been one. */
  onNotice(payload: string | undefined): void
  /** Receives the loss of the connection. */
  warn(error: Error): void
}

/** Listens for notices on a channel, on its own connection. */
export class Listener {
  readonly #options: ListenerOptions
  #timer: NodeJS.Timeout | undefined
  #current: pg.Client | undefined
  #isConnecting = false

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** Starts listening. Does nothing if it already listens. */
  start(): void {
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs).unref()
    void this.#connect()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    const last = this.#current
    this.#current = undefined
    last?.end().catch(() => {})
  }

  #look(): void {
    // A host that was left may not answer.
    if (this.#current && !this.#options.hosts.isCurrent(this.#current)) socketOf(this.#current).destroy()
    void this.#connect()
    this.#options.onNotice(undefined)
  }

  async #connect(): Promise<void> {
    if (this.#current || this.#isConnecting) return
    const { hosts, channel, onNotice } = this.#options
    this.#isConnecting = true
    try {
      const client = await hosts.connect({ application_name: 'conduct watch' })
      if (!this.#timer) return void client.end().catch(() => {})
      this.#current = client
      client.on('notification', ({ payload }) => onNotice(payload))
      client.on('error', (error) => this.#lost(client, error))
      await client.query(`listen ${channel}`).catch((error) => this.#lost(client, error))
    } catch (error) {
      if (this.#timer) this.#options.warn(error as Error)
    } finally {
      this.#isConnecting = false
    }
  }

  #lost(client: pg.Client, error: Error): void {
    if (this.#current !== client) return
    this.#current = undefined
    socketOf(client).destroy()
    this.#options.warn(error)
  }
}
