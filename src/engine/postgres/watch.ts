import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { Sql } from 'sql-template-tag'
import sql from 'sql-template-tag'
import { Wakes } from '../wakes.ts'
import type { PostgresHosts } from './hosts.ts'
import { socketOf } from './statements.ts'

/** The channel on which servers tell each other of commits. */
const channel = 'conduct_commits'
/** How often to send a notice to the other servers, at most. */
const noticeEveryMs = 20

interface WatcherOptions {
  hosts: PostgresHosts
  /** Runs a statement in no transaction. */
  query(statement: Sql): Promise<unknown>
  warn(error: Error): void
}

/** Wakes callers that wait for commits: soon after those of this process, and by notices for those of other servers. */
export function createWatcher({ hosts, query, warn }: WatcherOptions) {
  const me = randomUUID()
  const listener = new Listener({ hosts, channel, onNotice: (sender) => sender !== me && wakes.callAll(), warn })
  const wakes = new Wakes(
    () => listener.start(),
    () => listener.stop(),
  )
  const notices = new Throttle(noticeEveryMs, () =>
    query(sql`select pg_notify(${channel}, ${me})`).catch((error) => wakes.isClosed || warn(error)),
  )

  return {
    watch: (wake: () => void) => wakes.watch(wake),
    /** Reports a commit of this process. Call it after the commit: inside the transaction a notice would queue the writers. */
    committed() {
      notices.call()
      wakes.callSoon()
    },
    close() {
      notices.close()
      wakes.close()
    },
  }
}

/** Passes on the first call at once, and the calls of the next `everyMs` milliseconds as one. */
class Throttle {
  readonly #everyMs: number
  readonly #run: () => void
  #timer: NodeJS.Timeout | undefined
  #hasMore = false
  #isClosed = false

  constructor(everyMs: number, run: () => void) {
    this.#everyMs = everyMs
    this.#run = run
  }

  call(): void {
    this.#hasMore = this.#timer !== undefined
    if (this.#timer) return
    this.#run()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#hasMore && !this.#isClosed) this.call()
    }, this.#everyMs).unref()
  }

  close(): void {
    this.#isClosed = true
  }
}

/** How often a listener calls `onNotice` without a notice, and reconnects if needed. */
const lookEveryMs = 1000

interface ListenerOptions {
  hosts: PostgresHosts
  channel: string
  /** Receives the payload of each notice; undefined if there may have been one. */
  onNotice(payload: string | undefined): void
  /** Receives the loss of the connection. */
  warn(error: Error): void
}

/** Listens for notices on a channel, on its own connection. */
class Listener {
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
