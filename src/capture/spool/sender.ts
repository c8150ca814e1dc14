import type { Place } from '../../place/place.ts'
import type { Delivery } from './deliver.ts'
import { deliver } from './deliver.ts'
import type { keepOpen } from './reconnect.ts'
import type { State } from './state.ts'

/** What the parts of a recorder share. */
export interface Recorded {
  /** The name of its recording. */
  name: string
  state: State
  connection: ReturnType<typeof keepOpen>
  /** Once aborted, nothing more is tried. */
  ending: AbortController
  /** Reports something to the user. */
  say(words: string): void
}

/** Sends the calls of one recording. */
export interface Sender {
  /** Sends what is stored, unless it is already being sent. */
  send(): Promise<Delivery>
  /** Sends now unless a retry is scheduled. */
  wake(): void
  /** The delivery in progress. */
  running(): Promise<Delivery> | undefined
  stop(): void
}

const firstWaitMs = 500
const longestWaitMs = 30_000

/** A sender that retries while something waits, with growing pauses. */
export function createSender({ state, name, connection, ending, say }: Recorded): Sender {
  let running: Promise<Delivery> | undefined
  let timer: NodeJS.Timeout | undefined
  let waitMs = firstWaitMs
  const connect = (place: Place) => connection.connect(place)

  function send(): Promise<Delivery> {
    clearTimeout(timer)
    timer = undefined
    running ??= deliver(state, name, { connect, signal: ending.signal })
      .catch((error: Error): Delivery => ({ outcome: 'waiting', words: error.message }))
      .then(plan)
    return running
  }

  /** Schedules the next try. */
  function plan(delivery: Delivery): Delivery {
    running = undefined
    const { outcome, words } = delivery
    if (outcome === 'waiting' || outcome === 'busy') {
      timer = setTimeout(send, waitMs)
      waitMs = Math.min(waitMs * 2, longestWaitMs)
    } else {
      waitMs = firstWaitMs
      // Queued while the last response was read.
      if (outcome === 'sent' && state.next(name)) timer = setTimeout(send, 0)
    }
    if (words !== undefined && outcome !== 'busy') say(words)
    return delivery
  }

  return {
    send,
    wake: () => void (timer ?? send()),
    running: () => running,
    stop: () => clearTimeout(timer),
  }
}
