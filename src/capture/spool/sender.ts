import { setTimeout as sleep } from 'node:timers/promises'
import { connect, databaseUrlOf } from '../../place/connect.ts'
import type { Env } from '../../place/folders.ts'
import { type Place, sameLedger, sameUrl } from '../../place/place.ts'
import { addressIn, keyMarkOf, readProfiles } from '../../place/profile.ts'
import { endSignals } from '../../system/signals.ts'
import { type DeliveryClient, type DeliveryResult, deliver, tryMs } from './deliver.ts'
import type { Spool } from './state.ts'

/** What the parts of a recorder share. */
export interface Recorded {
  /** The name of its recording. */
  name: string
  state: Spool
  connection: ReturnType<typeof keepOpen>
  /** Once aborted, nothing more is tried. */
  ending: AbortController
  /** Reports something to the user. */
  say(words: string): void
}

/** Sends the calls of one recording. */
export interface Sender {
  /** Sends what is stored, unless it is already being sent. */
  send(): Promise<DeliveryResult>
  /** Sends now unless a retry is scheduled. */
  wake(): void
  /** The delivery in progress. */
  running(): Promise<DeliveryResult> | undefined
  stop(): void
}

const firstWaitMs = 500
const longestWaitMs = 30_000

/** A sender that retries while something waits, with growing pauses. */
export function createSender({ state, name, connection, ending, say }: Recorded): Sender {
  let running: Promise<DeliveryResult> | undefined
  let timer: NodeJS.Timeout | undefined
  let waitMs = firstWaitMs
  const connect = (place: Place) => connection.connect(place)

  function send(): Promise<DeliveryResult> {
    clearTimeout(timer)
    timer = undefined
    running ??= deliver(state, name, { connect, signal: ending.signal })
      .catch((error: Error): DeliveryResult => ({ outcome: 'waiting', words: error.message }))
      .then(plan)
    return running
  }

  /** Schedules the next try. */
  function plan(delivery: DeliveryResult): DeliveryResult {
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

/** Connects to a recorded place with current settings. Throws an Error if they are not for it. */
export async function reconnect(place: Place, env: Env): Promise<DeliveryClient> {
  return connect(currentPlace(place, env), env, { attempts: 1, timeout: tryMs })
}

/**
 * A recorded place with the current URL of its profile, or the current password of its database. Throws an Error rather
 * than send CONDUCT_API_KEY to a server that CONDUCT_URL does not name, or what another key recorded.
 */
function currentPlace(place: Place, env: Env): Place {
  if (place.kind === 'local') {
    const current = { ...place, databaseUrl: databaseUrlOf(env, '/') }
    return sameLedger(current, place) ? current : place
  }
  if (place.profile !== undefined) {
    const url = readProfiles(env).profiles[place.profile]?.url
    if (url !== undefined) return { ...place, url }
    throw new Error(`It belongs to the profile '${place.profile}', which no longer exists: add it again.`)
  }
  if (!env.CONDUCT_URL)
    throw new Error(`It belongs to ${place.url}: set CONDUCT_URL to that, and CONDUCT_API_KEY to one of its keys.`)
  if (!sameUrl(addressIn(env.CONDUCT_URL), place.url))
    throw new Error(`It belongs to ${place.url}, and CONDUCT_URL is ${env.CONDUCT_URL}.`)
  if (place.keyMark !== undefined && place.keyMark !== keyMarkOf(env))
    throw new Error(
      "Another key recorded it, and it would count as somebody else's: set CONDUCT_API_KEY to that key, or send it as this one's: conduct sync --any-key",
    )
  return place
}

/** Gives deliveries one connection, which is opened on first use and stays open until `close`. */
export function keepOpen(env: Env) {
  let opened: Promise<DeliveryClient> | undefined
  return {
    async connect(place: Place): Promise<DeliveryClient> {
      opened ??= reconnect(place, env)
      const { client } = await opened.catch((error) => {
        opened = undefined
        throw error
      })
      return { client, async [Symbol.asyncDispose]() {} }
    },
    close: async () => (await opened?.catch(() => undefined))?.[Symbol.asyncDispose](),
  }
}

/** How long to wait for a response while a person waits, in milliseconds. */
export const patienceMs = 5_000
/** The pauses before the last tries: long enough for a server that is restarting. */
const lastWaitsMs = [300, 1000]

/**
 * Sends the rest of a recording while it makes progress, and says what happens to the remainder. Returns whether
 * nothing is left.
 */
export async function sayFarewell(recorded: Recorded, sender: Sender): Promise<boolean> {
  const { name, state, ending, say } = recorded
  const interrupt = () => ending.abort(new Error('Interrupted.'))
  for (const signal of endSignals) process.on(signal, interrupt)
  const watching = watch(recorded)
  const { outcome } = await lastTries(sender, ending.signal)
  clearInterval(watching)
  if (outcome === 'sent') return true
  if (!state.isKept) say('The record was not sent, and is lost.')
  else if (outcome === 'refused')
    say(`The rest is stored: conduct sync tries again, and conduct sync --discard ${name} deletes it`)
  else say('The record is not sent yet. It is stored, and conduct sync sends it.')
  return false
}

/** Tries until nothing is left, the person or a silent server ends it, or it fails again. */
async function lastTries(sender: Sender, signal: AbortSignal): Promise<DeliveryResult> {
  await sender.running()
  for (const ms of lastWaitsMs) {
    const delivery = await sender.send()
    if (delivery.outcome === 'sent' || delivery.outcome === 'refused' || signal.aborted) return delivery
    await sleep(ms)
  }
  return sender.send()
}

/** Ends the last tries if no call is acknowledged for a while. */
function watch({ state, name, ending }: Recorded) {
  let before = state.next(name)?.id
  return setInterval(() => {
    const next = state.next(name)?.id
    if (next === before) ending.abort(new Error(`There was no response within ${patienceMs / 1000} seconds.`))
    before = next
  }, patienceMs)
}
