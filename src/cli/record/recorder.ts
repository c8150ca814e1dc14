import { randomUUID } from 'node:crypto'
import { ConductError } from '../../client/client.ts'
import type { Call } from '../../spool/calls.ts'
import type { Delivery } from '../../spool/deliver.ts'
import type { Place } from '../../spool/place.ts'
import { openState, type State } from '../../spool/state.ts'
import type { Env } from '../place/folders.ts'
import { sayFarewell } from './farewell.ts'
import { keepOpen } from './reconnect.ts'
import { createSender, type Recorded, type Sender } from './sender.ts'
import { lossOf, stateOrMemory } from './state.ts'

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
  /** Ends with a last call; what cannot be sent then waits for a sync. Returns the id of the run where all is sent. */
  end(last: NewCall): Promise<string | null>
  /** Ends, and leaves no trace of what was not sent. */
  discard(): Promise<void>
}

const heartbeatMs = 20_000
/** Characters of calls that wait on disk. */
const fullLength = 1_048_576

export function createRecorder(options: RecorderOptions): Recorder {
  const recorded = begun(options)
  const { name, state } = recorded
  const sender = createSender(recorded)
  // One that fails is made up for by the next, or by the token itself once the server is back.
  const beats = setInterval(() => void beat(recorded).catch(() => {}), heartbeatMs)
  return {
    runId: () => state.find(name)?.runId ?? null,
    isFull: () => state.size(name) > fullLength,
    add(...calls) {
      state.queue(name, ...calls.map(keyed))
      sender.wake()
    },
    send: sender.send,
    async end(last) {
      clearInterval(beats)
      try {
        state.queue(name, keyed(last))
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

/** The recording in the state of this user or, where that cannot be had, in one that ends with this process. */
function stateOf(name: string, { env, place, cwd, runId, first, say }: RecorderOptions): State {
  const begin = (state: State) => {
    state.record({ name, kind: 'exec', place, cwd })
    if (runId !== undefined) state.update(name, { runId })
    if (first) state.queue(name, keyed(first))
    return state
  }
  try {
    return begin(stateOrMemory(env, say))
  } catch (error) {
    // It opens, and cannot be written.
    say(lossOf(error))
    return begin(openState(':memory:'))
  }
}

/** Renews the lease of the run, unless a call that waits will do so. */
async function beat({ state, name, connection, ending, say }: Recorded) {
  const { runId, leaseToken, place } = state.find(name) ?? {}
  if (!place || !runId || !leaseToken || state.next(name)) return
  const { client } = await connection.connect(place)
  await client.heartbeat({ runId, leaseToken }, { signal: ending.signal }).catch((error: unknown) => {
    if (error instanceof ConductError && error.code === 'LEASE_LOST') say(error.message)
  })
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
