import pg from 'pg'
import { config } from './connect.ts'

/** Listens for notices on a channel, on a connection of its own. */
export class Listener {
  readonly #url: string
  readonly #channel: string
  readonly #onNotice: (payload: string | undefined) => void
  readonly #warn: (error: Error) => void
  #current: pg.Client | undefined
  #isConnected = false

  constructor(
    url: string,
    channel: string,
    onNotice: (payload: string | undefined) => void,
    warn: (error: Error) => void,
  ) {
    this.#url = url
    this.#channel = channel
    this.#onNotice = onNotice
    this.#warn = warn
  }

  /** Connects and listens, unless it does so already. The loss of the connection is reported, and `start` then connects anew. */
  async start(): Promise<void> {
    if (this.#current) return
    const client = new pg.Client({ ...config(this.#url), application_name: 'conduct watch' })
    this.#current = client
    this.#isConnected = false
    client.on('notification', ({ payload }) => this.#onNotice(payload))
    client.on('error', (error) => this.#lost(client, error))
    try {
      await client.connect()
      this.#isConnected ||= this.#isCurrent(client)
      if (this.#isCurrent(client)) await client.query(`listen ${this.#channel}`)
    } catch (error) {
      this.#lost(client, error as Error)
    }
    if (!this.#isCurrent(client)) await client.end().catch(() => {})
  }

  stop(): void {
    const last = this.#current
    this.#current = undefined
    // `start` ends a client that is still connecting: what is sent to a server before its greeting confuses it.
    if (this.#isConnected) last?.end().catch(() => {})
  }

  #isCurrent(client: pg.Client): boolean {
    return this.#current === client
  }

  #lost(client: pg.Client, error: Error): void {
    if (!this.#isCurrent(client)) return
    this.#current = undefined
    this.#warn(error)
  }
}
