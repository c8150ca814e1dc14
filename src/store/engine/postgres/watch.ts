import { randomUUID } from 'node:crypto'
import pg from 'pg'
import sql, { type Sql } from 'sql-template-tag'
import { config } from './connect.ts'

/** The channel on which servers tell each other of commits. */
const channel = 'conduct_commits'
/** How often the watchers look whether or not a notice has come. */
const lookEveryMs = 1000
/** How often the other servers are sent a notice, at most. */
const noticeEveryMs = 20

export interface WatcherOptions {
  url: string
  /** Runs a statement in no transaction. */
  query(statement: Sql): Promise<unknown>
  warn(error: Error): void
}

/** Wakes those who wait for commits: at once for those of this process, by notices for those of other servers. */
export function createWatcher({ url, query, warn }: WatcherOptions) {
  const wakes = new Set<() => void>()
  const me = randomUUID()
  let listener: pg.Client | undefined
  let isConnected = false
  let timer: NodeJS.Timeout | undefined
  let notice: NodeJS.Timeout | undefined
  let hasMore = false
  let isDue = false
  let closed = false

  function wakeAll() {
    isDue = false
    for (const wake of wakes) wake()
  }

  /** Listens on a connection of its own, unless it does so already. Only what befalls the present one is reported. */
  async function listen() {
    if (listener || wakes.size === 0) return
    const fresh = new pg.Client({ ...config(url), application_name: 'conduct watch' })
    listener = fresh
    isConnected = false
    fresh.on('notification', ({ payload }) => payload !== me && wakeAll())
    const fail = (error: Error) => {
      if (listener !== fresh) return
      listener = undefined
      warn(error)
    }
    fresh.on('error', fail)
    try {
      await fresh.connect()
      isConnected ||= listener === fresh
      if (listener === fresh) await fresh.query(`listen ${channel}`)
    } catch (error) {
      fail(error as Error)
    }
    if (listener !== fresh) await fresh.end().catch(() => {})
  }

  function stop() {
    clearInterval(timer)
    timer = undefined
    const last = listener
    listener = undefined
    // One that is still connecting is ended by `listen`: what is sent to a server before the greeting confuses it.
    if (isConnected) last?.end().catch(() => {})
  }

  /** Tells other servers: the first commit at once, those that follow soon together. */
  function notify() {
    hasMore = notice !== undefined
    if (notice) return
    query(sql`select pg_notify(${channel}, ${me})`).catch((error) => closed || warn(error))
    notice = setTimeout(() => {
      notice = undefined
      if (hasMore && !closed) notify()
    }, noticeEveryMs).unref()
  }

  return {
    watch(wake: () => void): () => void {
      wakes.add(wake)
      void listen()
      timer ??= setInterval(() => {
        void listen()
        wakeAll()
      }, lookEveryMs).unref()
      return () => {
        wakes.delete(wake)
        if (wakes.size === 0) stop()
      }
    },
    /** Tells of a commit of this process. Comes after it: inside the transaction a notice would queue the writers. */
    committed() {
      notify()
      if (isDue || wakes.size === 0) return
      isDue = true
      // The answers go out first.
      setImmediate(wakeAll)
    },
    close() {
      closed = true
      wakes.clear()
      stop()
    },
  }
}
