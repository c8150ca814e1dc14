import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConductError } from '../../client/client.ts'
import { type Delivery, deliver, keepOpen } from '../../spool/deliver.ts'
import { type Call, openState, type State } from '../../spool/state.ts'
import type { Place } from '../place/connect.ts'
import type { Env } from '../place/folders.ts'

export interface RecorderOptions {
  place: Place
  cwd: string
  env: Env
  /** The run, where it is there already. */
  runId?: string
  /** What is recorded first. */
  first?: NewCall
  /** Tells people what they should know. */
  say(words: string): void
}

type NewCall = Omit<Call, 'key'>

/** Sends what is recorded while the work goes on: at once, or again and again where that fails. */
export interface Recorder {
  /** Null until the run is made. */
  runId(): string | null
  /** Whether so much is unsent that no more output should be added. */
  isFull(): boolean
  /** Keeps calls on disk, and sends them. Throws where they cannot be kept. */
  add(...calls: NewCall[]): void
  /** Sends now what is kept. */
  send(): Promise<Delivery>
  /** Ends with a last call; what cannot be sent then waits for a sync. */
  end(last: NewCall): Promise<void>
  /** Ends, and leaves no trace of what was not sent. */
  discard(): Promise<void>
}

const heartbeatMs = 20_000
/** How long an answer is waited for while a person waits, in milliseconds. */
export const patienceMs = 5_000
const firstWaitMs = 500
const longestWaitMs = 30_000
/** The pauses before the last tries: long enough for a server that is just starting again. */
const lastWaitsMs = [300, 1000]
/** Characters of calls that wait on disk. */
const fullLength = 1_048_576

export function createRecorder({ place, cwd, env, runId, first, say }: RecorderOptions): Recorder {
  const name = `exec-${randomUUID()}`
  const state = begin()
  const connection = keepOpen(env)
  const ending = new AbortController()
  let running: Promise<Delivery> | undefined
  let timer: NodeJS.Timeout | undefined
  let waitMs = firstWaitMs
  // One that fails is made up for by the next, or by the token itself once the server is back.
  const beats = setInterval(() => void beat().catch(() => {}), heartbeatMs)

  /** The recording in the state of this user or, where that cannot be had, in one that ends with this process. */
  function begin(): State {
    const open = (file?: string) => {
      const state = openState(env, file)
      state.record({ name, kind: 'exec', place, cwd })
      if (runId !== undefined) state.update(name, { runId })
      if (first) state.queue(name, keyed(first))
      return state
    }
    try {
      return open()
    } catch (error) {
      say(`What cannot be sent at once will be lost, since nothing can be kept here: ${(error as Error).message}.`)
      return open(':memory:')
    }
  }

  function send(): Promise<Delivery> {
    clearTimeout(timer)
    timer = undefined
    running ??= deliver(state, name, { env, connect: connection.connect, signal: ending.signal })
      .catch((error): Delivery => ({ outcome: 'waiting', words: (error as Error).message }))
      .then(settle)
    return running
  }

  function settle(delivery: Delivery): Delivery {
    running = undefined
    const { outcome, words } = delivery
    if (outcome === 'waiting' || outcome === 'busy') {
      timer = setTimeout(send, waitMs)
      waitMs = Math.min(waitMs * 2, longestWaitMs)
    } else {
      waitMs = firstWaitMs
      // Queued while the last answer was read.
      if (outcome === 'sent' && state.next(name)) timer = setTimeout(send, 0)
    }
    if (words !== undefined && outcome !== 'busy') say(words)
    return delivery
  }

  async function beat() {
    const { runId, leaseToken, place } = state.find(name) ?? {}
    if (!place || !runId || !leaseToken || state.next(name)) return
    const { client } = await connection.connect(place)
    await client.heartbeat({ runId, leaseToken }, { signal: ending.signal }).catch((error) => {
      if (error instanceof ConductError && error.code === 'LEASE_LOST') say(error.message)
    })
  }

  /** Tries until nothing is left, a person or a silent server puts an end to it, or it fails again. */
  async function lastTries(): Promise<Delivery> {
    await running
    for (const ms of lastWaitsMs) {
      const delivery = await send()
      if (delivery.outcome === 'sent' || delivery.outcome === 'refused' || ending.signal.aborted) return delivery
      await sleep(ms)
    }
    return send()
  }

  /** Puts an end to the last tries once no call is acknowledged for a while. */
  function watch() {
    let before = state.next(name)?.id
    return setInterval(() => {
      const next = state.next(name)?.id
      if (next === before) ending.abort(new Error(`There was no answer within ${patienceMs / 1000} seconds.`))
      before = next
    }, patienceMs)
  }

  const interrupt = () => ending.abort(new Error('It was interrupted.'))

  async function finish() {
    clearInterval(beats)
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt).on('SIGHUP', interrupt)
    const watching = watch()
    const { outcome } = await lastTries()
    clearInterval(watching)
    if (outcome === 'refused')
      say(`What was not sent is kept: conduct sync tries again, or forgets it with --discard ${name}`)
    else if (outcome !== 'sent') say('The record is not sent yet. It is kept, and conduct sync sends it.')
  }

  async function close() {
    clearInterval(beats)
    clearTimeout(timer)
    ending.abort()
    await connection.close()
    state.close()
  }

  return {
    runId: () => state.find(name)?.runId ?? null,
    isFull: () => state.size(name) > fullLength,
    add(...calls) {
      state.queue(name, ...calls.map(keyed))
      if (!timer) void send()
    },
    send,
    async end(last) {
      try {
        state.queue(name, keyed(last))
        state.update(name, { ended: true })
        await finish()
      } finally {
        await close()
      }
    },
    async discard() {
      state.discard(name)
      await running
      await close()
    },
  }
}

const keyed = (call: NewCall): Call => ({ ...call, key: randomUUID() })

/** Tells each thing once, on stderr. */
export function createSay(command: string): (words: string) => void {
  const told = new Set<string>()
  return (words) => {
    if (!told.has(words)) process.stderr.write(`${command}: ${words}\n`)
    told.add(words)
  }
}
