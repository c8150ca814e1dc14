import { serverNow } from '../data/server-time.ts'

const clocks = new Map<number, Set<(now: number) => void>>()

/**
 * Calls the listener with the server's time at that interval, together with all others, so that everything that shows
 * the time is drawn in one frame. Ends when the returned function is called.
 */
export function eachTick(everyMs: number, listener: (now: number) => void): () => void {
  const listeners = clocks.get(everyMs) ?? startClock(everyMs)
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Starts the clock of an interval. It stops once nobody listens. */
function startClock(everyMs: number): Set<(now: number) => void> {
  const listeners = new Set<(now: number) => void>()
  clocks.set(everyMs, listeners)
  const timer = setInterval(() => {
    const now = serverNow()
    for (const listener of listeners) listener(now)
    if (listeners.size > 0) return
    clearInterval(timer)
    clocks.delete(everyMs)
  }, everyMs)
  return listeners
}
