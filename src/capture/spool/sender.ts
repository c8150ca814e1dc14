import { connect, databaseUrlOf } from '../../place/connect.ts'
import type { Env } from '../../place/folders.ts'
import { type Place, sameLedger, sameUrl } from '../../place/place.ts'
import { addressIn, readProfiles } from '../../place/profile.ts'
import { type Delivery, deliver, type Line, tryMs } from './deliver.ts'
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

/**
 * Connects to a recorded place with current settings: the URL and key of its profile, or the password of its database.
 * Throws an Error rather than send CONDUCT_API_KEY to a server that CONDUCT_URL does not name.
 */
export async function reconnect(place: Place, env: Env): Promise<Line> {
  const tries = { attempts: 1, timeout: tryMs }
  if (place.kind === 'local') {
    const current = { ...place, databaseUrl: databaseUrlOf(env, '/') }
    return connect(sameLedger(current, place) ? current : place, env, tries)
  }
  if (place.profile !== undefined) {
    const url = readProfiles(env).profiles[place.profile]?.url
    if (url === undefined)
      throw new Error(`It belongs to the profile '${place.profile}', which no longer exists: add it again.`)
    return connect({ ...place, url }, env, tries)
  }
  if (!env.CONDUCT_URL)
    throw new Error(`It belongs to ${place.url}: set CONDUCT_URL to that, and CONDUCT_API_KEY to a key of it.`)
  if (!sameUrl(addressIn(env.CONDUCT_URL), place.url))
    throw new Error(`It belongs to ${place.url}, and CONDUCT_URL is ${env.CONDUCT_URL}.`)
  return connect(place, env, tries)
}

/** Gives deliveries one connection, which is opened on first use and stays open until `close`. */
export function keepOpen(env: Env) {
  let opened: Promise<Line> | undefined
  return {
    async connect(place: Place): Promise<Line> {
      opened ??= reconnect(place, env)
      const { client } = await opened.catch((error) => {
        opened = undefined
        throw error
      })
      return { client, close: async () => {} }
    },
    close: async () => (await opened?.catch(() => undefined))?.close(),
  }
}
