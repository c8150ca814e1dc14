import { randomUUID } from 'node:crypto'
import type { Code } from '../api/error.ts'
import { addressOf, type Name } from '../api/paths.ts'
import { type Connection, connect, databaseUrlOf, type Place } from '../cli/place/connect.ts'
import type { Env } from '../cli/place/folders.ts'
import { readProfiles } from '../cli/place/profile.ts'
import { type CallOptions, type Client, ConductError } from '../client/client.ts'
import { withoutPassword } from '../setting.ts'
import type { Queued, Recording, State } from './state.ts'

/** How a delivery ended. */
export interface Delivery {
  /**
   * `sent`: nothing is left. `waiting`: it is kept, and may succeed later. `busy`: another process is sending it.
   * `refused`: it can never succeed.
   */
  outcome: 'sent' | 'waiting' | 'busy' | 'refused'
  /** For people: why it waits or was refused; of what was sent, what somebody else did to the run meanwhile. */
  words?: string
  /** Whether nobody answered there, so that other recordings of the same place need not be tried now. */
  isAway?: boolean
}

export interface DeliverOptions {
  env: Env
  /** Gives the client in place of a new one, for who holds one already; `close` is called once per delivery. */
  connect?: (place: Place) => Promise<Connection>
  /** Aborted, the rest waits, for the reason that is given. */
  signal?: AbortSignal
}

/** One try of a call may take as long, and a claim twice that. */
const tryMs = 30_000

/** What no later try can change. All else (no answer, a limit, a key, a full disk) may be mended. */
const final: readonly Code[] = [
  'BAD_REQUEST',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'CONFLICT',
  'PRECONDITION_FAILED',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'VALIDATION_ERROR',
  'IDEMPOTENCY_MISMATCH',
]

/**
 * Sends the queued calls of a recording in order, one try each, until none is left or one fails. Each has its
 * Idempotency-Key, so that it happens once however often it is tried. Throws nothing but faults of the state itself.
 */
export async function deliver(state: State, name: string, options: DeliverOptions): Promise<Delivery> {
  const words: string[] = []
  // Whoever queued a call while this process held the claim could not send it, so after a release the queue is read again.
  while (state.next(name)) {
    const refused = state.find(name)?.refused
    if (refused) return { outcome: 'refused', words: refused }
    const holder = randomUUID()
    if (!state.claim(name, holder, 2 * tryMs)) return { outcome: 'busy', words: 'Another process is sending it.' }
    try {
      await sendAll(state, name, holder, options, words)
    } catch (error) {
      const reason = (error as Error).message
      const code = error instanceof ConductError ? error.code : undefined
      const isFinal = code !== undefined && final.includes(code)
      if (isFinal) state.update(name, { refused: reason })
      const outcome = isFinal ? 'refused' : 'waiting'
      return { outcome, words: textOf([...words, reason]), isAway: code === 'UNAVAILABLE' }
    } finally {
      state.release(name, holder)
    }
  }
  return { outcome: 'sent', ...(words.length > 0 && { words: textOf(words) }) }
}

const textOf = (words: string[]) => [...new Set(words)].join(' ')

async function sendAll(state: State, name: string, holder: string, options: DeliverOptions, words: string[]) {
  const { env, connect = (place) => connectNow(place, env), signal } = options
  const { client, close } = await connect((state.find(name) as Recording).place)
  try {
    for (let call = state.next(name); call; call = state.next(name)) {
      // One that was taken over while this process slept is gone on with all the same: a call that two send happens once.
      state.claim(name, holder, 2 * tryMs)
      const { run, lease, left } = await send(client, state.find(name) as Recording, call, signal)
      if (left) words.push(left)
      const isFirst = call.operation === 'createRun'
      state.done(call.id, name, {
        ...(isFirst && run && { runId: run.runId }),
        ...(lease && { leaseToken: lease.token }),
      })
    }
  } finally {
    await close()
  }
}

/**
 * The place as the environment of now has it: the URL and the key of its profile, and the password of a database. Throws
 * an Error rather than show CONDUCT_API_KEY to another server than that of CONDUCT_URL.
 */
async function connectNow(place: Place, env: Env): Promise<Connection> {
  const tries = { attempts: 1, timeout: tryMs }
  if (place.kind === 'local') {
    const current = databaseUrlOf(env, '/')
    const databaseUrl = withoutPassword(current) === place.databaseUrl ? current : place.databaseUrl
    return connect({ ...place, databaseUrl }, env, tries)
  }
  if (place.profile !== undefined) {
    const url = readProfiles(env).profiles[place.profile]?.url
    if (url === undefined) throw new Error(`It belongs to the profile '${place.profile}', which is gone: add it again.`)
    return connect({ ...place, url }, env, tries)
  }
  if (env.CONDUCT_URL && env.CONDUCT_URL !== place.url)
    throw new Error(`It belongs to ${place.url}, and CONDUCT_URL is ${env.CONDUCT_URL}.`)
  return connect(place, env, tries)
}

/** Gives deliveries one connection, which is opened when it is first needed and stays until `close`. */
export function keepOpen(env: Env) {
  let opened: Promise<Connection> | undefined
  return {
    async connect(place: Place): Promise<Connection> {
      opened ??= connectNow(place, env)
      const { client, place: found } = await opened.catch((error) => {
        opened = undefined
        throw error
      })
      return { client, place: found, close: async () => {} }
    },
    close: async () => (await opened?.catch(() => undefined))?.close(),
  }
}

interface Answer {
  run?: { runId: string }
  lease?: { token: string }
  /** What was left undone, since the run is somebody else's now. */
  left?: string
}

async function send(
  client: Client,
  { runId, leaseToken }: Recording,
  { operation, input, key }: Queued,
  signal: AbortSignal | undefined,
) {
  const given = takesRun(operation) && runId !== null ? { runId, ...input } : input
  const isHeld = operation !== 'createRun' && leaseToken !== null
  try {
    return await invoke(client, operation, isHeld ? { leaseToken, ...given } : given, { idempotencyKey: key, signal })
  } catch (error) {
    if (!isHeld || !(error instanceof ConductError) || error.code !== 'LEASE_LOST') throw error
    const left = `${error.message} What others made of it stays.`
    const rest = withoutLease(operation, given)
    // Without the token, so that the run is not resumed.
    const idempotencyKey = operation === 'appendToRun' ? key : `${key}.facts`
    if (rest) await invoke(client, operation, rest, { idempotencyKey, signal })
    return { left }
  }
}

function invoke(client: Client, operation: Name, input: Record<string, unknown>, options: CallOptions) {
  // Each operation is typed on its own; which one this is, only the queue tells.
  const call = client[operation] as (input: Record<string, unknown>, options: CallOptions) => Promise<Answer>
  return call(input, options)
}

const takesRun = (operation: Name) => operation === 'createCheck' || addressOf(operation).params.includes('runId')

/** What may still be said of a run by who lost its lease: its log, and facts that nobody else knows. */
function withoutLease(operation: Name, given: Record<string, unknown>): Record<string, unknown> | undefined {
  if (operation === 'appendToRun') return given
  if (operation !== 'updateRun') return undefined
  const facts = ['git', 'changes', 'usage', 'links'].filter((field) => given[field] !== undefined)
  if (facts.length === 0) return undefined
  return Object.fromEntries(['runId', ...facts].map((field) => [field, given[field]]))
}
