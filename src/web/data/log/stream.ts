import { ConductError, createClient } from '../../../client/client.ts'
import type { Event } from '../../../log/fields.ts'
import { base } from '../../app/router.ts'
import { fetchAsSession, onReach } from '../query/server.ts'
import { oneAtATime, serverNow } from '../query/timing.ts'

/**
 * What the one stream of this browser reports to all tabs. After `connected` nothing is missed, so everything read
 * before must be read again. `erased` means that texts may have been erased, so nothing read before may stay on the page.
 * `over` means that the session has ended, `begun` that a new one has begun; `left`, that the user logged out, at a time
 * in milliseconds.
 */
export type StreamNews =
  | { kind: 'event'; event: Event }
  | { kind: 'left'; at: number }
  | { kind: 'connected' | 'erased' | 'lost' | 'over' | 'begun' }

type Listener = (news: StreamNews) => void

const listeners = new Set<Listener>()
const name = `conduct ${base}`
const channel = new BroadcastChannel(name)
channel.onmessage = ({ data }: MessageEvent<StreamNews>) => hear(data)

/** The id of the last event that this tab heard of, from which it follows the log when it takes over the stream. */
let last: Event['id'] | undefined

/** Since when the server does not respond, in milliseconds by its clock; undefined while it responds. */
let awaySince: number | undefined

export const lostSince = (): number | undefined => awaySince

/** The last moment up to which the page knows how a live run stands, if it is `now`. */
export const knownUntil = (now: number): number => Math.min(now, awaySince ?? now)

function hear(news: StreamNews) {
  awaySince = news.kind === 'lost' ? (awaySince ?? serverNow()) : undefined
  if (news.kind === 'event') last = news.event.id
  if (news.kind === 'over') last = undefined
  report(news)
  // Each tab does this for itself, since the one with the stream may close before the rest is over.
  if (news.kind === 'event' && news.event.type === 'erasure.created') reportErased()
}

function report(news: StreamNews) {
  for (const listener of listeners) listener(news)
}

const erasedMs = 500
/** Reports erasures together, since a retention makes one for each run. */
const { soon: reportErased } = oneAtATime(async () => report({ kind: 'erased' }), erasedMs)

/** Reports to this tab and all others. */
export function tell(news: StreamNews): void {
  hear(news)
  channel.postMessage(news)
}

/** Calls the listener with all reports, until the returned function is called. */
export function listen(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

// The stream may outlive requests that get no response, and then does not tell when there are responses again.
onReach((isThere) => hear({ kind: isThere ? 'connected' : 'lost' }))

// Finds a restarted server again within a second.
const follower = createClient({
  url: base,
  longestPause: 500,
  fetch: async (request) => {
    try {
      const response = await fetchAsSession(request)
      tell({ kind: response.ok ? 'connected' : 'lost' })
      return response
    } catch (error) {
      tell({ kind: 'lost' })
      throw error
    }
  },
})

const oddMs = 1000

/** Follows the log until the signal aborts or the session ends. */
async function lead(signal: AbortSignal): Promise<void> {
  for (;;) {
    const error = await forward(signal)
    if (signal.aborted) return
    const code = error instanceof ConductError ? error.code : undefined
    if (code === 'UNAUTHORIZED') return tell({ kind: 'over' })
    // The database has lost events, or dropped those that were missed. The stream starts again, and everything is read
    // again: an erasure may be among them.
    if (code === 'LOG_FORKED' || code === 'EVENTS_DROPPED') {
      last = undefined
      tell({ kind: 'erased' })
      continue
    }
    // The answer came from something else, such as a proxy whose server is away.
    tell({ kind: 'lost' })
    await new Promise((resolve) => setTimeout(resolve, oddMs))
  }
}

/** Forwards events until the stream fails. Returns its error. */
async function forward(signal: AbortSignal): Promise<unknown> {
  try {
    for await (const event of follower.follow(last === undefined ? {} : { after: last }, { signal })) {
      tell({ kind: 'event', event })
    }
    return undefined
  } catch (error) {
    return error
  }
}

/**
 * Takes part in following the log until the returned function is called. One tab holds the stream and forwards its
 * events; when it is closed, another takes over. Without browser locks (a page without TLS from another host, or a
 * browser that may store nothing), each tab has its own stream.
 */
export function follow(): () => void {
  const end = new AbortController()
  const { signal } = end
  const alone = async () => {
    if (!signal.aborted) await lead(signal)
  }
  void (navigator.locks ? navigator.locks.request(name, { signal }, alone).catch(alone) : alone())
  return () => end.abort()
}
