import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { ConductError } from '../../api/error.ts'
import type { Run } from '../../api/run.ts'
import type { CallOptions, Client, Input } from '../../client/client.ts'
import { type Hold, renewed, whichRun } from '../../mcp/hold.ts'
import type { Recording, State } from '../../spool/state.ts'
import type { Place } from '../place/connect.ts'
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

/** Runs held by this process; what it knows of them is on disk, so that another process can go on with its tokens. */
export function localHold({ client, state, cwd, env, now = Date.now, ...options }: LocalHoldOptions): LocalHold {
  const holder = randomUUID()
  const place: Place = JSON.parse(JSON.stringify(options.place))
  const open = new Map<string, Open>()
  const finished = new Set<string>()

  const recordings = () => state.open().filter((recording) => isDeepStrictEqual(recording.place, place))
  const recordingOf = (runId: string) => recordings().find((recording) => recording.runId === runId)
  /** Of two processes that write to a run, the one that came first ends it. */
  const claim = (name: string) => state.claim(name, holder, leaseSeconds * 1000)

  function called(runId: string, recording = recordingOf(runId)) {
    const name = recording?.kind === 'mcp' ? recording.name : undefined
    if (name !== undefined) claim(name)
    if (name !== undefined || runId === adoptable()) open.set(runId, { name, calledAt: now() })
  }

  function forget(runId: string, name: string | undefined) {
    open.delete(runId)
    if (name !== undefined) state.update(name, { ended: true })
  }

  /** After an error that says the run is not ours any more. */
  function forgetLost(error: unknown, runId: string, recording: Recording | undefined) {
    const isLost = error instanceof ConductError && (error.code === 'LEASE_LOST' || error.code === 'NOT_FOUND')
    if (isLost && recording?.kind === 'mcp') forget(runId, recording.name)
  }

  function adoptable(): string | undefined {
    const hooked = recordings().filter(({ kind, cwd: its, runId }) => kind === 'hook' && its === cwd && runId !== null)
    return [env.CONDUCT_RUN_ID, ...hooked.map(({ runId }) => runId ?? '')].find((id) => id && !finished.has(id))
  }

  async function start(input: Input<'createRun'>, options: CallOptions): Promise<Run> {
    const { name } = state.record({ name: `mcp-${randomUUID()}`, kind: 'mcp', place, cwd })
    try {
      const { run, lease } = await client.createRun({ ...input, leaseSeconds }, options)
      // A call that is tried again makes the run that it made before.
      const isKnown = recordingOf(run.runId) !== undefined
      state.update(name, isKnown ? { ended: true } : { runId: run.runId, leaseToken: lease?.token ?? null })
      called(run.runId)
      return run
    } catch (error) {
      state.update(name, { ended: true })
      throw error
    }
  }

  async function write<T>(runId: string, call: (leaseToken: string | undefined) => Promise<T>): Promise<T> {
    const recording = recordingOf(runId)
    try {
      const answer = await call(recording?.leaseToken ?? undefined)
      called(runId, recording)
      return answer
    } catch (error) {
      forgetLost(error, runId, recording)
      throw error
    }
  }

  const isIdle = ({ calledAt }: Open) => now() - calledAt > idleMs

  async function beat() {
    for (const [runId, run] of open) {
      const recording = recordingOf(runId)
      if (run.name === undefined || !recording?.leaseToken || isIdle(run)) continue
      claim(run.name)
      await client
        .heartbeat({ runId, leaseToken: recording.leaseToken })
        .catch((error) => forgetLost(error, runId, recording))
    }
  }

  async function end() {
    const signal = AbortSignal.timeout(farewellMs)
    for (const [runId, run] of open) {
      const leaseToken = recordingOf(runId)?.leaseToken
      if (run.name === undefined || !leaseToken || !claim(run.name)) continue
      const failed = { runId, status: 'failed', failure: sessionEnded, leaseToken } as const
      // Whom the ledger does not hear now, it gives up by itself when the lease runs out.
      if (!isIdle(run)) await client.updateRun(failed, { signal }).catch(() => {})
      forget(runId, run.name)
    }
  }

  return {
    adoptable,
    start,
    write,
    renew: (runId) => {
      called(runId)
      return renewed(client, runId, recordingOf(runId)?.leaseToken ?? undefined)
    },
    ended(runId) {
      finished.add(runId)
      forget(runId, open.get(runId)?.name)
    },
    async only() {
      const adopted = adoptable()
      const started = [...open].filter(([id, { name }]) => name !== undefined || id === adopted).map(([id]) => id)
      const own = started.length > 0 || adopted === undefined ? started : [adopted]
      if (own.length === 1 && own[0] !== undefined) return own[0]
      if (own.length > 1) throw whichRun(`this process has ${own.length} runs open`, own)
      const left = recordings().filter(({ kind, cwd: its }) => kind === 'mcp' && its === cwd)
      throw whichRun('this process has started no run', left.map(({ runId }) => runId ?? '').filter(Boolean))
    },
    beat,
    end,
  }
}
