import { randomUUID } from 'node:crypto'
import { ConductError } from '../../api/error.ts'
import type { Run } from '../../api/run.ts'
import type { CallOptions, Client, Input } from '../../client/client.ts'
import { type Hold, renewed, whichRun } from '../../mcp/hold.ts'
import type { Place } from '../../spool/place.ts'
import type { Recording } from '../../spool/recordings.ts'
import type { State } from '../../spool/state.ts'
import type { Env } from '../place/folders.ts'

/** Seconds after which the run of a process that was killed has failed. */
const leaseSeconds = 90
/** How often the leases are renewed, in milliseconds. */
export const beatMs = (leaseSeconds * 1000) / 3
/** A run that nothing is written to for so long is not renewed any more, in milliseconds. */
const idleMs = 2 * 3600_000
/** How long a process that ends waits for the ledger, in milliseconds. */
const farewellMs = 5_000

const sessionEnded = { code: 'SESSION_ENDED', message: 'The session of its agent ended before the run did.' }

export interface LocalHoldOptions {
  client: Client
  state: State
  place: Place
  cwd: string
  env: Env
  now?: () => number
}

export interface LocalHold extends Hold {
  /** Renews the leases of the runs that this process has open. */
  beat(): Promise<void>
  /** Ends the runs that this process has open. */
  end(): Promise<void>
}

/** A run that this process works on. */
interface Open {
  /** Of its recording; undefined for a run that a hook or `conduct exec` keeps and ends. */
  name: string | undefined
  calledAt: number
}

/** The runs that this process works on, by their ids, and what the state knows of them. */
interface Held extends Required<LocalHoldOptions> {
  open: Map<string, Open>
  /** Those that were ended by a call. */
  finished: Set<string>
  /** Of two processes that write to a run, the one that came first ends it. */
  claim(name: string): boolean
}

/** Runs held by this process; what it knows of them is on disk, so that another process can go on with its tokens. */
export function localHold(options: LocalHoldOptions): LocalHold {
  const holder = randomUUID()
  const held: Held = {
    now: Date.now,
    ...options,
    open: new Map(),
    finished: new Set(),
    claim: (name) => options.state.claim(name, holder, leaseSeconds * 1000),
  }
  return {
    adoptable: () => adoptable(held),
    start: (input, options) => start(held, input, options),
    write: (runId, call) => write(held, runId, call),
    renew: (runId) => {
      called(held, runId)
      return renewed(held.client, runId, recordingOf(held, runId)?.leaseToken ?? undefined)
    },
    ended(runId) {
      held.finished.add(runId)
      forget(held, runId, held.open.get(runId)?.name)
    },
    only: async () => only(held),
    beat: () => beat(held),
    end: () => end(held),
  }
}

const recordingOf = ({ state, place }: Held, runId: string) => state.open(place, { runId })[0]
/** The recordings of that kind that were begun in this folder. */
const recordingsHere = ({ state, place, cwd }: Held, kind: Recording['kind']) =>
  state.open(place, { cwd }).filter((recording) => recording.kind === kind)
const idsOf = (recordings: Recording[]) => recordings.flatMap(({ runId }) => runId ?? [])

function adoptable(held: Held): string | undefined {
  const ids = [held.env.CONDUCT_RUN_ID, ...idsOf(recordingsHere(held, 'hook'))]
  return ids.find((id) => id && !held.finished.has(id))
}

/** Keeps in mind that a call came for that run, which makes it one that this process holds. */
function called(held: Held, runId: string, recording = recordingOf(held, runId)) {
  const name = recording?.kind === 'mcp' ? recording.name : undefined
  if (name !== undefined) held.claim(name)
  if (name !== undefined || runId === adoptable(held)) held.open.set(runId, { name, calledAt: held.now() })
}

function forget({ open, state }: Held, runId: string, name: string | undefined) {
  open.delete(runId)
  if (name !== undefined) state.update(name, { ended: true })
}

/** After an error that says the run is not ours any more. */
function forgetLost(held: Held, error: unknown, runId: string, recording: Recording | undefined) {
  const isLost = error instanceof ConductError && (error.code === 'LEASE_LOST' || error.code === 'NOT_FOUND')
  if (isLost && recording?.kind === 'mcp') forget(held, runId, recording.name)
}

async function start(held: Held, input: Input<'createRun'>, options: CallOptions): Promise<Run> {
  const { client, state, place, cwd } = held
  const { name } = state.record({ name: `mcp-${randomUUID()}`, kind: 'mcp', place, cwd })
  try {
    const { run, lease } = await client.createRun({ ...input, leaseSeconds }, options)
    // A call that is tried again makes the run that it made before.
    const isKnown = recordingOf(held, run.runId) !== undefined
    state.update(name, isKnown ? { ended: true } : { runId: run.runId, leaseToken: lease?.token ?? null })
    called(held, run.runId)
    return run
  } catch (error) {
    state.update(name, { ended: true })
    throw error
  }
}

async function write<T>(held: Held, runId: string, call: (leaseToken: string | undefined) => Promise<T>): Promise<T> {
  const recording = recordingOf(held, runId)
  try {
    const answer = await call(recording?.leaseToken ?? undefined)
    called(held, runId, recording)
    return answer
  } catch (error) {
    forgetLost(held, error, runId, recording)
    throw error
  }
}

/** The one run that a call without an id means. Throws where there is none, or more than one. */
function only(held: Held): string {
  const adopted = adoptable(held)
  const started = [...held.open].filter(([id, { name }]) => name !== undefined || id === adopted).map(([id]) => id)
  const own = started.length > 0 || adopted === undefined ? started : [adopted]
  if (own.length === 1 && own[0] !== undefined) return own[0]
  if (own.length > 1) throw whichRun(`this process has ${own.length} runs open`, own)
  throw whichRun('this process has started no run', idsOf(recordingsHere(held, 'mcp')))
}

const isIdle = ({ now }: Held, { calledAt }: Open) => now() - calledAt > idleMs

async function beat(held: Held) {
  for (const [runId, run] of held.open) {
    const recording = recordingOf(held, runId)
    if (run.name === undefined || !recording?.leaseToken || isIdle(held, run)) continue
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
    if (run.name === undefined || !leaseToken || !held.claim(run.name)) continue
    const failed = { runId, status: 'failed', failure: sessionEnded, leaseToken } as const
    // Whom the ledger does not hear now, it gives up by itself when the lease runs out.
    if (!isIdle(held, run)) await held.client.updateRun(failed, { signal }).catch(() => {})
    forget(held, runId, run.name)
  }
}
