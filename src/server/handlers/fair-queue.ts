import { setImmediate } from 'node:timers/promises'

/** How long the queue may keep the event loop to itself, in milliseconds. */
const shareMs = 5

/**
 * A queue that starts one piece of work after another: each when the one before is done, or when the event loop has gone
 * round once. A database in this process returns sooner than that, so without a pause a long queue would hold up every
 * other request.
 */
export function createFairQueue() {
  let last: Promise<unknown> = Promise.resolve()
  let began = 0

  async function pause() {
    if (performance.now() - began < shareMs) return
    await setImmediate()
    began = performance.now()
  }

  return <T>(work: () => Promise<T>): Promise<T> => {
    const started = last.then(pause)
    const working = started.then(work)
    last = started.then(() => Promise.race([working, setImmediate()])).catch(() => {})
    return working
  }
}
