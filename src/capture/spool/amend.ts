import { randomUUID } from 'node:crypto'
import { type Client, ConductError } from '../../client/client.ts'
import { unknownThere } from '../../contract/error.ts'
import { shifted } from '../../contract/span.ts'
import type { Queued, QueuedCall } from './calls.ts'
import type { Recording } from './recordings.ts'

/** What to change in a call, and in its recording: the run that it continues, and how to send times. */
type Changes = Partial<QueuedCall> & { runId?: string; aheadMs?: number }

/** What to send instead if the server rejects a call; undefined if no change would help. */
export async function amended(
  client: Client,
  recording: Recording,
  { operation, input }: Queued,
  error: unknown,
): Promise<Changes | undefined> {
  const { runId } = recording
  if (!(error instanceof ConductError)) return undefined
  // What an older server does not know, it will know once it is upgraded.
  if (unknownThere(error) !== undefined) return undefined
  if (isTimeRefused(error)) {
    const ahead = recording.aheadMs === null ? aheadMs(error) : undefined
    const isSet = ahead === undefined || (await wouldPrecede(client, runId, input, ahead))
    const isTimed = input.startedAt !== undefined || input.endedAt !== undefined
    // A clock was set meanwhile. The server sets the times of the run, and the turn has none.
    const untimed = isSet && isTimed ? { input: withoutTimes(input) } : undefined
    return ahead === undefined ? untimed : { aheadMs: ahead, ...untimed }
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

/** The session has a run that this machine forgot. Continues it or, if somebody has deleted it, creates another one. */
async function begunBefore(
  client: Client,
  { agent, where, leaseSeconds }: QueuedCall['input'],
): Promise<Changes | undefined> {
  const session = (where as { session?: string } | undefined)?.session
  if (session === undefined) return undefined
  const { runs } = await client.listRuns({ session, agent: agent as string, limit: 1 })
  const key = randomUUID()
  const [run] = runs
  if (!run) return { key }
  return { runId: run.runId, operation: 'updateRun', input: { status: 'in_progress', leaseSeconds }, key }
}

const isTime = (path: string) => path === 'startedAt' || path === 'endedAt'

/** Whether a server refused a call for a time in it. */
const isTimeRefused = ({ code, issues = [] }: ConductError): boolean =>
  code === 'VALIDATION_ERROR' && issues.some(({ path }) => isTime(path))

/** A clock that is less ahead is not why a time was refused, in milliseconds. */
const leastMs = 60_000

/**
 * How many milliseconds the clock of this machine is ahead of the server's, which therefore refused a time; undefined
 * if the server does not say its own time.
 */
function aheadMs({ issues = [] }: ConductError): number | undefined {
  const [, time = ''] = /\bwhere it is (\S+),/.exec(issues.find(({ path }) => isTime(path))?.message ?? '') ?? []
  const ms = Date.now() - Date.parse(time)
  return ms > leastMs ? Math.round(ms) : undefined
}

/** Whether the start in a call, moved back, would be before that of its run, which the server took as it was. */
async function wouldPrecede(client: Client, runId: string | null, { startedAt }: Input, ahead: number) {
  if (runId === null || startedAt === undefined) return false
  const { run } = await client.getRun({ runId })
  return run.startedAt !== null && shifted(String(startedAt), -ahead) < run.startedAt
}

type Input = Record<string, unknown>

/** The input with its times by the clock of the server, so that they stay as far apart as they are. */
export function byServerClock(input: Input, ahead: number | null): Input {
  if (ahead === null) return input
  const { startedAt, endedAt, commands, ...rest } = input
  return {
    ...rest,
    ...(startedAt !== undefined && { startedAt: shifted(String(startedAt), -ahead) }),
    ...(endedAt !== undefined && { endedAt: shifted(String(endedAt), -ahead) }),
    ...(Array.isArray(commands) && {
      commands: commands.map(({ at, ...ran }: Input) => ({
        ...ran,
        ...(at !== undefined && { at: shifted(String(at), -ahead) }),
      })),
    }),
  }
}

function withoutTimes({ startedAt: _, endedAt: __, commands, ...rest }: Input): Input {
  if (!Array.isArray(commands)) return rest
  return { ...rest, commands: commands.map(({ at: _, ...ran }: Input) => ran) }
}
