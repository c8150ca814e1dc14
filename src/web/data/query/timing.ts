let aheadMs = 0

/** The current time in milliseconds by the clock of the server, from which all times of the ledger are. */
export const serverNow = (): number => Date.now() + aheadMs

/**
 * Learns the time of the server from a response to a request that was sent at that time. The response only limits how
 * far the server's clock is ahead, because it says full seconds and took a while to arrive; so clocks that may agree are
 * left as they are.
 */
export function learnTime({ headers }: Response, sentAt: number): void {
  const at = Date.parse(headers.get('date') ?? '')
  if (!Number.isNaN(at)) aheadMs = Math.min(Math.max(aheadMs, at - Date.now()), at + 1000 - sentAt)
}

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

/** Work of which only one piece runs at a time. All calls during it cause one more. */
export interface Repeated {
  /** Works once the last work is `restMs` ago; at once if that is so. */
  soon(): void
  /** Works as soon as no other work runs, without the rest. */
  now(): void
}

export function oneAtATime(work: () => Promise<void>, restMs: number): Repeated {
  let isBusy = false
  let isAsked = false
  let isHurried = false
  let endRest = () => {}

  const rest = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, restMs)
      endRest = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const soon = async () => {
    isAsked = true
    if (isBusy) return
    isBusy = true
    while (isAsked) {
      isAsked = false
      isHurried = false
      await work()
      if (!isHurried) await rest()
    }
    isBusy = false
  }
  const now = () => {
    isHurried = true
    endRest()
    void soon()
  }
  return { soon, now }
}
