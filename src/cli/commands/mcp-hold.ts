import { randomUUID } from 'node:crypto'
import { catchUp, runOf } from '../../capture/exec/in-session.ts'
import { callingSession, type Whose, whoseRun } from '../../capture/hook/whose-run.ts'
import { agentProcessOf, ancestorsOf, type ProcessId } from '../../capture/spool/process.ts'
import type { Recording } from '../../capture/spool/recordings.ts'
import type { Spool } from '../../capture/spool/state.ts'
import type { CallOptions, Client, Input } from '../../client/client.ts'
import { ConductError } from '../../contract/error.ts'
import { type CheckGit, type Hold, type Meta, renewed, whichRun } from '../../mcp/hold.ts'
import type { Run } from '../../nouns/run/fields.ts'
import type { Env } from '../../place/folders.ts'
import { authorOf } from '../../place/git/guarded.ts'
import { topOf } from '../../place/git/repository.ts'
import { gitStateOf } from '../../place/git/tree.ts'
import type { Place } from '../../place/place.ts'
import { readable, requiredChecks } from '../../place/rules.ts'
import { cut } from '../../recorder/agents/turn.ts'

/** Seconds after which the run of a killed process fails. */
const leaseSeconds = 90
/** The interval at which leases are renewed, in milliseconds. */
export const beatMs = (leaseSeconds * 1000) / 3
/**
 * A run without a call for this many beats, two hours, is no longer renewed. No clock tells that time: it may leap, and
 * count the hours in which the machine slept.
 */
const idleBeats = (2 * 3600_000) / beatMs
/** How long an exiting process waits for the ledger, in milliseconds. */
const farewellMs = 5_000

const sessionEnded = { code: 'SESSION_ENDED', message: 'The session of its agent ended before the run.' }

interface LocalHoldOptions {
  client: Client
  state: Spool
  place: Place
  cwd: string
  env: Env
  /** The ancestors of this process, nearest first. */
  ancestors?: ProcessId[]
  /** The agent that started this process. */
  starter?: ProcessId | undefined
}

interface LocalHold extends Hold {
  /** Renews the leases of the runs that this process has open. */
  beat(): Promise<void>
  /** Ends the runs that this process has open. */
  end(): Promise<void>
}

/** A run that this process works on, and whose lease it holds unless another process does. */
interface Open {
  /** The name of its recording. */
  name: string
  /** The number of beats since its last call. */
  beats: number
  /** Whether this process created it. */
  isOwn: boolean
  /**
   * The session that does the work; undefined if several sessions share this process and the client does not say which
   * one called.
   */
  worker: string | undefined
}

/** The runs that this process works on, by their ids, and what the state file knows about them. */
interface Held extends Required<Omit<LocalHoldOptions, 'starter'>> {
  starter: ProcessId | undefined
  open: Map<string, Open>
  /** Runs that hooks record and end. */
  recorded: Set<string>
  /** Runs that a call has finished. */
  finished: Set<string>
  /** When two processes write to a run, the first one holds and ends it. */
  claim(name: string): boolean
}

/**
 * The runs held by this process. What it knows about them is on disk, so another process can continue with its tokens.
 */
export function localHold(options: LocalHoldOptions): LocalHold {
  const holder = randomUUID()
  const held: Held = {
    // Read at the start: a process that outlives its agent still belongs to it.
    ancestors: ancestorsOf(process.pid).map(({ id }) => id),
    starter: agentProcessOf(),
    ...options,
    open: new Map(),
    recorded: new Set(),
    finished: new Set(),
    claim: (name) => options.state.claim(name, holder, leaseSeconds * 1000),
  }
  return {
    session: async (meta) => {
      const runId = await sessionOf(held, whoseCall(held, meta))
      return runId !== undefined && held.finished.has(runId) ? undefined : runId
    },
    work: (meta) => workOf(held, meta),
    isRecorded: (runId) => isRecorded(recordingOf(held, runId)),
    start: (input, options, meta) => start(held, input, options, meta),
    write: (runId, call, meta) => write(held, runId, call, meta),
    renew: (runId, meta) => {
      called(held, runId, meta)
      return renewed(held.client, runId, recordingOf(held, runId)?.leaseToken ?? undefined)
    },
    async caughtUp(meta) {
      const whose = whoseCall(held, meta)
      if (whose.kind === 'session') await catchUp(held.state, whose.session, held.env)
    },
    finished(runId) {
      held.finished.add(runId)
      forget(held, runId, held.open.get(runId)?.name)
    },
    leave: (runId, failure) => leave(held, runId, failure),
    only: (meta) => only(held, meta),
    beat: () => beat(held),
    end: () => end(held),
  }
}

const recordingOf = ({ state, place }: Held, runId: string) => state.open(place, { runId })[0]
const isRecorded = (recording: Recording | undefined) => recording !== undefined && recording.kind !== 'mcp'
const idsOf = (recordings: Pick<Recording, 'runId'>[]) => recordings.flatMap(({ runId }) => runId ?? [])

const whoseCall = ({ state, place, env, ancestors, starter }: Held, meta: Meta) =>
  whoseRun(state, place, { env, meta, ancestors, starter })

/** The run of the calling session; undefined if there is none, or if it could be one of several. */
async function sessionOf({ state, env }: Held, whose: Whose): Promise<string | undefined> {
  if (whose.kind === 'own') return undefined
  if (whose.kind === 'run') return whose.runId
  const runId = await runOf(state, whose.session, env)
  if (runId !== undefined) return runId
  throw new ConductError(
    'UNAVAILABLE',
    `The run of your session is not in the ledger yet, so nothing was written. \`conduct sync\` says why; then try again.`,
  )
}

/** The git fields of a check: of the session's current folder, else of this process. */
function workOf(held: Held, meta: Meta): CheckGit {
  const whose = whoseCall(held, meta)
  const began = whose.kind === 'session' ? whose.session.cwd : held.cwd
  const cwd = (whose.kind === 'session' && whose.session.lastCwd) || began
  const { branch: _, ...work } = gitStateOf(cwd)
  return { ...work, isElsewhere: cwd !== began && topOf(cwd) !== topOf(began) }
}

/** Identifies the session that does the work; undefined if it could be one of several. */
function workerOf(whose: Whose, meta: Meta): string | undefined {
  if (whose.kind === 'run') return whose.runId
  if (whose.kind === 'session') return whose.session.name
  const [candidate, ...others] = whose.candidates
  return others.length > 0 ? undefined : (candidate?.name ?? callingSession(meta) ?? '')
}

/** Notes that a call used that run, so this process works on it now. */
function called(held: Held, runId: string, meta: Meta, recording = recordingOf(held, runId), isNew = false) {
  if (isRecorded(recording)) held.recorded.add(runId)
  if (recording?.kind !== 'mcp') return
  held.claim(recording.name)
  const before = held.open.get(runId)
  const isOwn = isNew || before?.isOwn === true
  const worker = before?.isOwn ? before.worker : workerOf(whoseCall(held, meta), meta)
  held.open.set(runId, { name: recording.name, beats: 0, isOwn, worker })
}

/** Notes the outcome in the recording of the session, which ends its run with it. */
function leave(held: Held, runId: string, failure: Run['failure']) {
  const recording = recordingOf(held, runId)
  const { agent, session, cwd } = recording ?? {}
  if (recording?.kind !== 'hook' || !session || cwd === undefined) return
  const step = { kind: 'outcome', ...(failure && { failure }) } as const
  held.state.note(recording, { agent: agent ?? 'unknown', session, cwd, step }, randomUUID(), true)
}

function forget({ open, state }: Held, runId: string, name: string | undefined) {
  open.delete(runId)
  if (name !== undefined) state.update(name, { ended: true })
}

/** Forgets a run after an error that says it is no longer ours. */
function forgetLost(held: Held, error: unknown, runId: string, recording: Recording | undefined) {
  const isLost = error instanceof ConductError && (error.code === 'LEASE_LOST' || error.code === 'NOT_FOUND')
  if (isLost && recording?.kind === 'mcp') forget(held, runId, recording.name)
}

async function start(held: Held, input: Input<'createRun'>, options: CallOptions, meta: Meta): Promise<Run> {
  const { client, state, place, cwd } = held
  const { name } = state.record({ name: `mcp-${randomUUID()}`, kind: 'mcp', place, cwd })
  try {
    const author = cut(authorOf(cwd), 200)
    const required = readable(() => requiredChecks(cwd))
    const own = { ...(author && { author }), ...(required && { required }), leaseSeconds }
    const { run, lease } = await client.createRun({ ...input, ...own }, options)
    // A retried call gets the run that its first try created.
    const isKnown = recordingOf(held, run.runId) !== undefined
    state.update(name, isKnown ? { ended: true } : { runId: run.runId, leaseToken: lease?.token ?? null })
    called(held, run.runId, meta, recordingOf(held, run.runId), true)
    return run
  } catch (error) {
    state.update(name, { ended: true })
    throw error
  }
}

type Write<T> = (leaseToken: string | undefined) => Promise<T>

async function write<T>(held: Held, runId: string, call: Write<T>, meta: Meta): Promise<T> {
  const recording = recordingOf(held, runId)
  try {
    const answer = await call(recording?.leaseToken ?? undefined)
    called(held, runId, meta, recording)
    return answer
  } catch (error) {
    forgetLost(held, error, runId, recording)
    throw error
  }
}

/** The only run that a call without an id can mean. Throws if there is none, or more than one. */
async function only(held: Held, meta: Meta): Promise<string> {
  const { state, place, cwd, open } = held
  const whose = whoseCall(held, meta)
  if (whose.kind === 'own' && whose.candidates.length > 1) {
    throw whichRun('several sessions run in this process', [...idsOf(whose.candidates), ...open.keys()])
  }
  const runs = await candidates(held, whose, meta)
  const [runId, ...others] = runs
  if (runId !== undefined && others.length === 0) return runId
  if (others.length > 0) throw whichRun(`this process has ${runs.length} runs open`, runs)
  const begunHere = state.open(place, { cwd }).filter(({ kind }) => kind === 'mcp')
  const last = [...held.finished].at(-1)
  const why = last === undefined ? 'this process has started no run' : `this process has finished ${last}`
  throw whichRun(why, idsOf(begunHere))
}

async function candidates(held: Held, whose: Whose, meta: Meta): Promise<string[]> {
  const worker = workerOf(whose, meta)
  const open = [...held.open].filter(([, run]) => run.worker === worker)
  const session = await sessionOf(held, whose)
  if (session === undefined) return open.map(([runId]) => runId)
  const own = open.filter(([, { isOwn }]) => isOwn).map(([runId]) => runId)
  const isAtWork = held.recorded.has(session) && !held.finished.has(session)
  return own.length === 0 || isAtWork ? [session, ...own] : own
}

const isIdle = ({ beats }: Open) => beats > idleBeats

async function beat(held: Held) {
  for (const [runId, run] of held.open) {
    run.beats += 1
    const recording = recordingOf(held, runId)
    if (!recording?.leaseToken || isIdle(run)) continue
    held.claim(run.name)
    await held.client
      .heartbeat({ runId, leaseToken: recording.leaseToken })
      .catch((error: unknown) => forgetLost(held, error, runId, recording))
  }
}

async function end(held: Held) {
  const signal = AbortSignal.timeout(farewellMs)
  for (const [runId, run] of held.open) {
    const leaseToken = recordingOf(held, runId)?.leaseToken
    if (!leaseToken || !held.claim(run.name)) continue
    const failed = { runId, status: 'failed', failure: sessionEnded, leaseToken } as const
    // A run that cannot reach the ledger now fails by itself when its lease expires.
    if (!isIdle(run)) await held.client.updateRun(failed, { signal }).catch(() => {})
    forget(held, runId, run.name)
  }
}
