import { randomUUID } from 'node:crypto'
import sql, { type Sql } from 'sql-template-tag'
import { Wakes } from '../wakes.ts'
import type { Hosts } from './hosts.ts'
import { Listener } from './listener.ts'

/** The channel on which servers tell each other of commits. */
const channel = 'conduct_commits'
/** How often to send a notice to the other servers, at most. */
const noticeEveryMs = 20

export interface WatcherOptions {
  hosts: Hosts
  /** Runs a statement in no transaction. */
  query(statement: Sql): Promise<unknown>
  warn(error: Error): void
}

/** Wakes callers that wait for commits: soon after those of this process, and by notices for those of other servers. */
export function createWatcher({ hosts, query, warn }: WatcherOptions) {
  const wakes = new Wakes()
  const me = randomUUID()
  const listener = new Listener({ hosts, channel, onNotice: (sender) => sender !== me && wakes.callAll(), warn })
  const notices = new Throttle(noticeEveryMs, () =>
    query(sql`select pg_notify(${channel}, ${me})`).catch((error) => wakes.isClosed || warn(error)),
  )

  return {
    watch(wake: () => void): () => void {
      if (wakes.isClosed) return () => {}
      wakes.add(wake)
      listener.start()
      return () => {
        wakes.delete(wake)
        if (wakes.isEmpty) listener.stop()
      }
    },
    /** Reports a commit of this process. Call it after the commit: inside the transaction a notice would queue the writers. */
    committed() {
      notices.call()
      wakes.callSoon()
    },
    close() {
      notices.close()
      wakes.close()
      listener.stop()
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
