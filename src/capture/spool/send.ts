import { type CallOptions, type Client, ConductError } from '../../client/client.ts'
import { addressOf, type Name } from '../../contract/paths.ts'
import type { Gap } from '../../text/content.ts'
import { byServerClock } from './amend.ts'
import type { Queued } from './calls.ts'
import type { Recording } from './recordings.ts'
import type { Spool } from './state.ts'

/** What a call returned, as far as the recording needs it. */
export interface CallResult {
  /** Where the content now ends. */
  appended?: number
  run?: { runId: string; createdAt: string }
  check?: { runId: string }
  lease?: { token: string }
  /** What was left out, because the run now belongs to someone else, or there is none. */
  left?: string
}

/**
 * Sends a call of a recording once, with the time of the server and the token of its lease. If the lease is lost, sends only
 * what the former holder may still write. Throws a ConductError as the client does.
 */
export async function send(
  client: Client,
  state: Spool,
  recording: Recording,
  { id, operation, input, key }: Queued,
  signal: AbortSignal | undefined,
): Promise<CallResult> {
  const { name, runId, leaseToken, aheadMs } = recording
  const timed = byServerClock(input, aheadMs)
  const given = takesRun(operation) && runId !== null ? { runId, ...timed } : timed
  // A check needs the token only to say that the recorder saw it.
  const isSeen = operation === 'createCheck' && input.recorder !== undefined && leaseToken !== null
  const isHeld = operation !== 'createRun' && operation !== 'createCheck' && leaseToken !== null
  const isAppend = operation === 'appendToRun'
  const invoke = async (input: Input, idempotencyKey: string): Promise<CallResult> =>
    isAppend && recording.appended !== null
      ? { appended: await appendOnce(client, state, { name, id, input: input as Append['input'] }, signal) }
      : callOf(client, operation)(input, { signal, ...(!hasNumber.has(operation) && { idempotencyKey }) })
  try {
    return await invoke(isHeld || isSeen ? { leaseToken, ...given } : given, key)
  } catch (error) {
    // Another token created the run, so this is only a claim.
    if (isSeen && error instanceof ConductError && error.code === 'FORBIDDEN') {
      const { recorder: _, ...claimed } = given as Input
      return invoke(claimed, `${key}.claim`)
    }
    if (!isHeld || !(error instanceof ConductError) || error.code !== 'LEASE_LOST') throw error
    const left = `${error.message} The run stays as others left it.`
    const rest = withoutLease(operation, given)
    // Without the token, so that the run is not resumed.
    const { appended } = rest ? await invoke(rest, operation === 'updateRun' ? `${key}.facts` : key) : {}
    return { left, appended }
  }
}

type Input = Record<string, unknown>

/** A turn has its number, and so have its diffs. */
const hasNumber: ReadonlySet<Name> = new Set<Name>(['appendTurn', 'addDiffs'])

/** Each operation has its own type. Only the queue knows which one this is. */
const callOf = (client: Client, operation: Name) =>
  client[operation] as (input: Input, options: CallOptions) => Promise<CallResult>

const takesRun = (operation: Name) => operation === 'createCheck' || addressOf(operation).params.includes('runId')

/** What the former holder of a lost lease may still write: the log, and facts that nobody else knows. */
function withoutLease(operation: Name, given: Record<string, unknown>): Record<string, unknown> | undefined {
  if (operation === 'appendToRun' || (hasNumber.has(operation) && !given.open)) return given
  if (operation !== 'updateRun') return undefined
  const facts = ['git', 'changes', 'usage', 'links'].filter((field) => given[field] !== undefined)
  if (facts.length === 0) return undefined
  return Object.fromEntries(['runId', ...facts].map((field) => [field, given[field]]))
}

/** How often others may append first before we leave it to a later delivery. */
const mostTries = 5

/** A queued append of a recording whose content has a known end. */
interface Append {
  name: string
  /** The id of the queued call. */
  id: number
  input: { runId: string; text: string; dropped?: Gap & { lines: number }; leaseToken?: string }
}

/**
 * Appends a text once, however often and by however many processes it is tried: a text that is already at its offset is
 * not appended again, and no other offset is used before it is on disk. Returns where the content then ends; undefined
 * if another process has appended the text.
 */
async function appendOnce(
  client: Client,
  state: Spool,
  { name, id, input }: Append,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  for (let tries = 1; ; tries++) {
    const offset = state.find(name)?.appended ?? 0
    if (state.next(name)?.id !== id) return undefined
    try {
      const { next } = await client.appendToRun({ ...input, offset }, { signal })
      // An older server does not say it.
      return next ?? offset + Buffer.byteLength(input.text)
    } catch (error) {
      if (!(error instanceof ConductError) || error.code !== 'CONFLICT') throw error
      if (tries === mostTries) throw new Error(`Other writers keep appending to the run. ${error.message}`)
      // Others have written. Another process that also sends this may have found the end and appended there.
      const { next } = await client.readContent({ runId: input.runId, after: Number.MAX_SAFE_INTEGER }, { signal })
      state.moveEnd(name, offset, next)
    }
  }
}
