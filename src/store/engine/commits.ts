import pg from 'pg'

/** The channel on which servers tell each other of commits. */
export const channel = 'conduct_commits'
const lookEveryMs = 1000

/**
 * Tells of commits to the PostgreSQL database at `url`: listens on one connection of its own while somebody watches,
 * takes it anew when it is lost, and has the watchers look in any case once a second.
 */
export function createWatcher(url: string, warn: (error: Error) => void) {
  const watchers = new Set<() => void>()
  let client: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined

  const wakeAll = () => {
    for (const wake of watchers) wake()
  }

  async function listen() {
    if (client) return
    const fresh = new pg.Client({ connectionString: url, application_name: 'conduct watch' })
    client = fresh
    fresh.on('notification', wakeAll)
    fresh.on('error', (error) => {
      if (client !== fresh) return
      client = undefined
      warn(error)
    })
    try {
      await fresh.connect()
      await fresh.query(`listen ${channel}`)
    } catch (error) {
      if (client === fresh) client = undefined
      await fresh.end().catch(() => {})
      warn(error as Error)
    }
  }

  function close() {
    watchers.clear()
    clearInterval(timer)
    client?.end().catch(() => {})
    client = undefined
    timer = undefined
  }

  return {
    watch(wake: () => void): () => void {
      watchers.add(wake)
      void listen()
      timer ??= setInterval(() => {
        void listen()
        wakeAll()
      }, lookEveryMs).unref()
      return () => {
        watchers.delete(wake)
        if (watchers.size === 0) close()
      }
    },
    close,
  }
}
