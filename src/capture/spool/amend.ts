import { randomUUID } from 'node:crypto'
import { type Client, ConductError } from '../../client/client.ts'
import { unknownThere } from '../../contract/error.ts'
import { type Gap, markerOf } from '../../text/content.ts'
import type { Call, Queued } from './calls.ts'
import type { Recording } from './recordings.ts'
import { aheadMs, isTimeRefused } from './times.ts'

/** What to change in a call, and in its recording: the run that it continues, and how to send times. */
type Changes = Partial<Call> & { runId?: string; aheadMs?: number }

/** What to send instead if the server rejects a call; undefined if no change would help. */
export async function amended(
  client: Client,
  recording: Recording,
  { operation, input }: Queued,
  error: unknown,
): Promise<Changes | undefined> {
  const { runId } = recording
  if (!(error instanceof ConductError)) return undefined
  if (operation === 'appendToRun' && unknownThere(error) === 'dropped') return { input: asText(input) }
  // What an older server does not know, it will know once it is upgraded.
  if (unknownThere(error) !== undefined) return undefined
  if (isTimeRefused(error)) {
    const ahead = recording.aheadMs === null ? aheadMs(error) : undefined
    if (ahead !== undefined) return { aheadMs: ahead }
    // A clock was set meanwhile. The server sets the time of a run, and a turn has none.
    const { startedAt, endedAt, ...rest } = input
    return startedAt === undefined && endedAt === undefined ? undefined : { input: rest }
  }
  if (error.code === 'FORBIDDEN' && input.git !== undefined) {
    // This machine forgot the token with which it created the run, and a recorder's word on the files stays.
    const { git: _, ...rest } = input
    return { input: rest }
  }
  if (error.code === 'IDEMPOTENCY_MISMATCH' && operation === 'createRun') return begunBefore(client, input)
  if (error.code !== 'CONFLICT' || operation !== 'appendTurn' || runId === null) return undefined
  // Another recorder has added turns to this run, or this machine has lost its own count.
  const { run } = await client.getRun({ runId })
  return run.turns.count + 1 === input.n ? undefined : { input: { ...input, n: run.turns.count + 1 } }
}

/** A gap as an older server stores it: as a line of the text. */
const asText = ({ dropped, text, ...rest }: Call['input']): Call['input'] => ({
  ...rest,
  text: `${markerOf(dropped as Gap)}${text}`,
})

/** The session has a run that this machine forgot. Continues it or, if somebody has deleted it, creates another one. */
async function begunBefore(
  client: Client,
  { agent, where, leaseSeconds }: Call['input'],
): Promise<Changes | undefined> {
  const session = (where as { session?: string } | undefined)?.session
  if (session === undefined) return undefined
  const { runs } = await client.listRuns({ session, agent: agent as string, limit: 1 })
  const key = randomUUID()
  const [run] = runs
  if (!run) return { key }
  return { runId: run.runId, operation: 'updateRun', input: { status: 'in_progress', leaseSeconds }, key }
}
