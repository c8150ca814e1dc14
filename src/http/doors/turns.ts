import { setImmediate as turn } from 'node:timers/promises'

/** How long works keep the event loop from others, in milliseconds. */
const turnMs = 5

/**
 * Starts works one after the other, each when the one before is done or the event loop has turned. A database in this
 * process returns before that: without a pause, works that lead to further ones would hold up every other request.
 */
export function createTurns() {
  let last: Promise<unknown> = Promise.resolve()
  let began = 0

  async function pause() {
    if (performance.now() - began < turnMs) return
    await turn()
    began = performance.now()
  }

  return <T>(work: () => Promise<T>): Promise<T> => {
    const started = last.then(pause)
    const working = started.then(work)
    last = started.then(() => Promise.race([working, turn()])).catch(() => {})
    return working
  }
}
