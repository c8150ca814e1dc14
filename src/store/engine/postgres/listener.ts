import pg from 'pg'
import { config } from './connect.ts'

/** How often a listener calls `onNotice` although no notice has come, and connects anew if it must. */
const lookEveryMs = 1000

export interface ListenerOptions {
  url: string
  channel: string
  /** Receives the payload of each notice; undefined when there may have been one. */
  onNotice(payload: string | undefined): void
  /** Receives the loss of the connection. */
  warn(error: Error): void
}

/** Listens for notices on a channel, on a connection of its own. */
export class Listener {
  readonly #options: ListenerOptions
  #timer: NodeJS.Timeout | undefined
  #current: pg.Client | undefined
  #isConnected = false

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  /** Listens from now on. Does nothing if it already does. */
  start(): void {
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs).unref()
    void this.#connect()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    const last = this.#current
    this.#current = undefined
    // `#connect` ends a client that is still connecting: what is sent to a server before its greeting confuses it.
    if (this.#isConnected) last?.end().catch(() => {})
  }

  #look(): void {
    if (!this.#timer) return
    void this.#connect()
    this.#options.onNotice(undefined)
  }

  async #connect(): Promise<void> {
    if (this.#current) return
    const { url, channel, onNotice } = this.#options
    const client = new pg.Client({ ...config(url), application_name: 'conduct watch' })
    this.#current = client
    this.#isConnected = false
    client.on('notification', ({ payload }) => onNotice(payload))
    client.on('error', (error) => this.#lost(client, error))
    try {
      await client.connect()
      this.#isConnected ||= this.#isCurrent(client)
      if (this.#isCurrent(client)) await client.query(`listen ${channel}`)
    } catch (error) {
      this.#lost(client, error as Error)
    }
    if (!this.#isCurrent(client)) await client.end().catch(() => {})
  }

  #isCurrent(client: pg.Client): boolean {
    return this.#current === client
  }

  #lost(client: pg.Client, error: Error): void {
    if (!this.#isCurrent(client)) return
    this.#current = undefined
    this.#options.warn(error)
  }
}
