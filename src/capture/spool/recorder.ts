import { randomUUID } from 'node:crypto'
import { ConductError } from '../../client/client.ts'
import type { Env } from '../../place/folders.ts'
import type { Place } from '../../place/place.ts'
import { clean } from '../../text/clean.ts'
import type { QueuedCall } from './calls.ts'
import type { DeliveryResult } from './deliver.ts'
import { createSender, keepOpen, type Recorded, type Sender, sayFarewell } from './sender.ts'
import { openState, type Spool } from './state.ts'
import { lossOf, stateOrMemory } from './state-file.ts'

interface RecorderOptions {
  place: Place
  cwd: string
  env: Env
  /** The run, if it already exists. */
  runId?: string
  /** The first call to record. It is stored at once, and sent with the others. */
  first?: NewCall
  /** Reports something to the user. */
  say(words: string): void
}

type NewCall = Omit<QueuedCall, 'key'>

/** Sends recorded calls in the background: at once, or again until it succeeds. */
export interface Recorder {
  /** Null until the run is created. */
  runId(): string | null
  /** Whether what cannot be sent outlives this process. */
  isKept: boolean
  /** Whether so much is unsent that no more output should be added. */
  isFull(): boolean
  /** Stores calls on disk and sends them. Throws if they cannot be stored. */
  add(...calls: NewCall[]): void
  /** Sends what is stored. */
  send(): Promise<DeliveryResult>
  /** Ends, with these last calls. What cannot be sent waits for a sync. Returns the id of the run if everything is sent. */
  end(...last: NewCall[]): Promise<string | null>
  /** Ends, and deletes everything unsent. */
  discard(): Promise<void>
}

const heartbeatMs = 20_000
/** The most characters of calls waiting on disk. */
const fullLength = 1_048_576

export function createRecorder(options: RecorderOptions): Recorder {
  const recorded = begun(options)
  const { name, state } = recorded
  const sender = createSender(recorded)
  // If one fails, the next makes up for it, or the token itself does once the server is back.
  const beats = setInterval(() => void beat(recorded).catch(() => {}), heartbeatMs)
  return {
    runId: () => state.find(name)?.runId ?? null,
    isKept: state.isKept,
    isFull: () => state.size(name) > fullLength,
    add(...calls) {
      state.queue(name, ...calls.map(keyed))
      sender.wake()
    },
    send: sender.send,
    async end(...last) {
      clearInterval(beats)
      try {
        state.queue(name, ...last.map(keyed))
        state.update(name, { ended: true })
        const isSent = await sayFarewell(recorded, sender)
        return isSent ? (state.find(name)?.runId ?? null) : null
      } finally {
        await close(recorded, sender)
      }
    },
    async discard() {
      clearInterval(beats)
      state.discard(name)
      await sender.running()
      await close(recorded, sender)
    },
  }
}

function begun(options: RecorderOptions): Recorded {
  const name = `exec-${randomUUID()}`
  const { env, say } = options
  return { name, state: stateOf(name, options), connection: keepOpen(env), ending: new AbortController(), say }
}

async function close({ state, connection, ending }: Recorded, sender: Sender) {
  sender.stop()
  ending.abort()
  await connection.close()
  state.close()
}

/** The recording in the state file of this user or, if that is unavailable, in memory. */
function stateOf(name: string, { env, place, cwd, runId, first, say }: RecorderOptions): Spool {
  const begin = (state: Spool) => {
    state.record({ name, kind: 'exec', place, cwd })
    if (runId !== undefined) state.update(name, { runId })
    if (first) state.queue(name, keyed(first))
    return state
  }
  try {
    return begin(stateOrMemory(env, say))
  } catch (error) {
    // The file opens but cannot be written.
    say(lossOf(error))
    return begin(openState(':memory:'))
  }
}

/** Renews the lease of the run, unless a queued call will do so. */
async function beat({ state, name, connection, ending, say }: Recorded) {
  const { runId, leaseToken, place } = state.find(name) ?? {}
  if (!place || !runId || !leaseToken || state.next(name)) return
  const { client } = await connection.connect(place)
  await client.heartbeat({ runId, leaseToken }, { signal: ending.signal }).catch((error: unknown) => {
    if (error instanceof ConductError && error.code === 'LEASE_LOST') say(error.message)
  })
}

const keyed = (call: NewCall): QueuedCall => ({ ...call, key: randomUUID() })

/** Prints each message once, on stderr. */
export function createSay(command: string): (words: string) => void {
  const said = new Set<string>()
  return (words) => {
    if (!said.has(words)) process.stderr.write(`${command}: ${clean(words)}\n`)
    said.add(words)
  }
}
