import type { Event } from '../../api/event.ts'
import { ConductError, createClient } from '../../client/client.ts'
import { base } from './server.ts'

/**
 * What the one stream of this browser tells all its tabs. `connected`: from here on nothing is missed, so what was read
 * before has to be read again. `over` and `begun`: the session has ended, another one has begun.
 */
export type News = { kind: 'event'; event: Event } | { kind: 'connected' | 'lost' | 'over' | 'begun' }

type Listener = (news: News) => void

const listeners = new Set<Listener>()
const name = `conduct ${base}`
const channel = new BroadcastChannel(name)
channel.onmessage = ({ data }: MessageEvent<News>) => hear(data)

function hear(news: News) {
  for (const listener of listeners) listener(news)
}

/** Tells this tab and all others. */
export function tell(news: News): void {
  hear(news)
  channel.postMessage(news)
}

/** Hears what is told until the function that this gives is called. */
export function listen(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

// A server that was restarted is found again within a second.
const follower = createClient({
  url: base,
  longestPause: 500,
  fetch: async (request) => {
    try {
      const response = await fetch(request)
      tell({ kind: response.ok ? 'connected' : 'lost' })
      return response
    } catch (error) {
      tell({ kind: 'lost' })
      throw error
    }
  },
})

/** Follows the log until the signal aborts, or the session ends. */
async function lead(signal: AbortSignal): Promise<void> {
  try {
    for await (const event of follower.follow({}, { signal })) tell({ kind: 'event', event })
  } catch (error) {
    if (signal.aborted) return
    const code = error instanceof ConductError ? error.code : undefined
    // The database has lost events: everything is read again as the stream begins anew.
    if (code === 'LOG_FORKED') return lead(signal)
    tell({ kind: code === 'UNAUTHORIZED' ? 'over' : 'lost' })
  }
}

/**
 * Takes part in following the log, until the function that this gives is called. One tab holds the stream and forwards
 * what it hears; when it is closed another takes over. Where the browser has no locks (a page without TLS on another
 * host), each tab follows for itself.
 */
export function follow(): () => void {
  const end = new AbortController()
  const leading = navigator.locks
    ? navigator.locks.request(name, { signal: end.signal }, () => lead(end.signal))
    : lead(end.signal)
  leading.catch(() => {})
  return () => end.abort()
}
