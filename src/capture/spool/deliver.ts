import { randomUUID } from 'node:crypto'
import { type Client, ConductError } from '../../client/client.ts'
import { type Code, firstOf, isMissing, unknownThere } from '../../contract/error.ts'
import { keyAdvice, whyMissing } from '../../place/missing.ts'
import { type Place, samePlace } from '../../place/place.ts'
import { amended } from './amend.ts'
import { opensTurn, type Queued } from './calls.ts'
import type { Recording } from './recordings.ts'
import { type CallResult, send } from './send.ts'
import type { Spool } from './state.ts'

/** The result of a delivery. */
export interface DeliveryResult {
  /**
   * `sent`: nothing is left. `waiting`: it is kept, and may succeed later. `busy`: another process is sending it.
   * `refused`: it can never succeed.
   */
  outcome: 'sent' | 'waiting' | 'busy' | 'refused'
  /** For people: why it waits or was refused; or what someone else did to the run in the meantime. */
  words?: string
  /** Whether nobody answered there, or it has no such project: other recordings of the place need not be tried now. */
  isAway?: boolean
}

/** A client of the place, closed after each delivery. */
export interface DeliveryClient extends AsyncDisposable {
  client: Client
}

interface DeliverOptions {
  /** Throws if the place cannot be reached now. The delivery then waits. `trouble` is why the last one failed. */
  connect(place: Place, trouble: string | null): Promise<DeliveryClient>
  /** If aborted, the rest waits, for the signal's reason. */
  signal?: AbortSignal
}

/** The time limit of one try, in milliseconds. A claim lasts twice as long. */
export const tryMs = 30_000

/** Errors that no later try can change. All others (no response, a limit, a key, a full disk) may be fixed. */
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

const isRefusal = (error: unknown): boolean => error instanceof ConductError && final.includes(error.code)

/**
 * Sends the queued calls of a recording in order, with one try each, until none is left or one fails. Each takes effect
 * once however often it is tried: an append by its offset, a turn by its number, all others by their Idempotency-Key.
 * Throws only errors of the state file itself.
 */
export async function deliver(
  state: Spool,
  name: string,
  { connect, signal }: DeliverOptions,
): Promise<DeliveryResult> {
  const words: string[] = []
  // While this process held the claim, others could queue calls but not send them. So it reads the queue again after
  // releasing the claim.
  while (state.next(name)) {
    const { refused, place, trouble = null } = state.find(name) ?? {}
    // Another process has discarded the recording with its calls.
    if (!place) continue
    if (refused) return { outcome: 'refused', words: refused }
    const holder = randomUUID()
    try {
      // A process that cannot reach the place leaves the claim to others.
      await using connection = await connect(place, trouble)
      if (!state.claim(name, holder, 2 * tryMs)) return { outcome: 'busy', words: 'Another process is sending it.' }
      const { client } = connection
      await sendAll({ state, name, place, client, amendments: 0 }, holder, words, signal)
    } catch (thrown) {
      const error = firstOf(thrown)
      const code = error instanceof ConductError ? error.code : undefined
      const reason = (error as Error).message
      const isFinal = isRefusal(error)
      state.update(name, { trouble: reason, ...(isFinal && { refused: reason }) })
      const outcome = isFinal ? 'refused' : 'waiting'
      const advice = code === 'UNAUTHORIZED' ? [keyAdvice] : []
      return { outcome, words: textOf([...words, reason, ...advice]), isAway: code === 'UNAVAILABLE' }
    } finally {
      state.release(name, holder)
    }
  }
  return { outcome: 'sent', ...(words.length > 0 && { words: textOf(words) }) }
}

const textOf = (words: string[]) => [...new Set(words)].join(' ')

async function sendAll(sending: Sending, holder: string, words: string[], signal: AbortSignal | undefined) {
  const { state, name, client } = sending
  for (let call = state.next(name); call; call = state.next(name)) {
    // If another process took over while this one slept, it is safe to continue: a call sent twice takes effect once.
    state.claim(name, holder, 2 * tryMs)
    const recording = state.find(name)
    if (!recording) return
    const answer = await send(client, state, recording, call, signal).catch((error) =>
      resultOf(error, call, recording, sending),
    )
    if (!answer) continue
    const { run, check, lease, left, appended } = answer
    if (left) words.push(left)
    const isFirst = call.operation === 'createRun'
    state.done(call.id, name, {
      trouble: null,
      ...(isFirst && run && { runId: run.runId, appended: Buffer.byteLength(String(call.input.content ?? '')) }),
      // The ledger chose the run by the commit of the check.
      ...(check && recording.runId === null && { runId: check.runId }),
      ...(appended !== undefined && { appended }),
      ...(lease && { leaseToken: lease.token }),
      ...(isFirst && run && behind(call, run)),
    })
  }
}

/** A clock that is less behind may be a slow network, in milliseconds. */
const leastBehindMs = 60_000

/** If the run was created in the future of this machine, its clock is behind: its later times are moved on. */
function behind({ input }: Queued, { createdAt }: { createdAt: string }): { aheadMs: number } | undefined {
  const ms = Date.parse(createdAt) - Date.now()
  // If a start was sent, a later end would make the run longer than it was.
  return ms > leastBehindMs && input.startedAt === undefined ? { aheadMs: -ms } : undefined
}

interface Sending {
  state: Spool
  name: string
  place: Place
  client: Client
  /** How often calls were changed so far. */
  amendments: number
}

/** What follows from the error of a call: a result without it, or undefined once the call is amended. Else throws it. */
async function resultOf(
  error: unknown,
  call: Queued,
  recording: Recording,
  sending: Sending,
): Promise<CallResult | undefined> {
  const { state, name, place, client } = sending
  if (isLeftOut(call, error)) return {}
  if (isOfNoRun(call, error)) {
    if (isRunWaiting(sending)) throw new Error(`${error.message} It may be one that waits on this machine.`)
    return { left: `${error.message} The check is not recorded.` }
  }
  const changes = sending.amendments++ < mostAmendments ? await amended(client, recording, call, error) : undefined
  if (!changes && opensTurn(call) && isRefusal(error)) return {}
  if (!changes) throw olderServer(call, error) ?? (await missingProject(client, place, error)) ?? error
  const { runId, aheadMs, ...changed } = changes
  state.together(() => {
    state.update(name, { ...(runId !== undefined && { runId }), ...(aheadMs !== undefined && { aheadMs }) })
    state.amend(call.id, changed)
    if (call.operation === 'appendTurn' && changed.input) state.renumber(name, call, Number(changed.input.n))
  })
  return undefined
}

/** Whether a server does not take a diff, for example an older one. The recording goes on without it. */
const isLeftOut = ({ operation }: Queued, error: unknown): boolean =>
  operation === 'addDiffs' && error instanceof ConductError && final.includes(error.code)

/**
 * Whether a server has no run for the commit of a check, as for each commit that a person made, or no run of that id.
 * Nothing of it is kept: a later run may get the id. Only the message distinguishes it from a missing project or address.
 */
const isOfNoRun = ({ operation }: Queued, error: unknown): error is ConductError =>
  operation === 'createCheck' && isMissing(error) && /^(?:No run of project|There is no run) '/.test(error.message)

/** Whether this machine has yet to create a run there. */
const isRunWaiting = ({ state, place }: Sending): boolean =>
  state
    .unsent()
    .some(
      (one) => one.refused === null && samePlace(one.place, place) && state.next(one.name)?.operation === 'createRun',
    )

/** How often calls of one delivery are changed and retried. */
const mostAmendments = 20

/** What to do about an error that only means that the server cannot store this yet. Then nothing is refused. */
function olderServer({ operation }: Queued, error: unknown): Error | undefined {
  if (!(error instanceof ConductError)) return undefined
  // If the address of any other call is unknown, that of the server is wrong.
  const isOurs = error.code === 'VALIDATION_ERROR' || operation === 'appendTurn'
  const unknown = isOurs ? unknownThere(error) : undefined
  if (unknown === undefined) return undefined
  return new Error(`The server runs an older Conduct, which does not know ${unknown}: upgrade the server.`)
}

/** What to do about a NOT_FOUND of the project or the address of the server. Then nothing is refused. */
async function missingProject(client: Client, { project: slug }: Place, error: unknown): Promise<Error | undefined> {
  if (slug === undefined || !isMissing(error)) return undefined
  const why = await whyMissing(client, slug, error).catch(() => undefined)
  return why === undefined ? undefined : new ConductError('UNAVAILABLE', why)
}
