import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, ConductError, type Input } from '../../client/client.ts'
import { mask, maskDeep } from '../../mask/mask.ts'
import type { OpenTurn } from '../../nouns/run/turn-fields.ts'
import type { ActivityInput } from '../../nouns/run/work-fields.ts'
import { leaseSecondsOf } from '../../recorder/agents/tools.ts'
import { memoOf, stepOf } from '../../recorder/earlier.ts'
import { reportAlone } from '../../recorder/facts.ts'
import { shownTurn, unfinished } from '../../recorder/open.ts'
import { step } from '../../recorder/step.ts'
import { pathsOf } from '../work/placed.ts'
import { type Beat, pauseMs } from './beats.ts'
import { deliver, tryMs } from './deliver.ts'
import type { Note } from './notes.ts'
import type { Reach } from './reach.ts'
import type { Recording } from './recordings.ts'
import type { Spool } from './state.ts'

interface BeatOptions extends Reach {
  /** Whether to wait for heartbeats that are due in a few seconds. */
  waits: boolean
  /** Whether something else is to be done before the next heartbeat. */
  isWoken?(): boolean
}

/** The pause between two looks whether to go on waiting, in milliseconds. */
const lookMs = 100

/** Sends the activity of live sessions to their servers. If a heartbeat fails, the next one makes up for it. */
export async function sendBeats(state: Spool, { connect, leave, waits, isWoken }: BeatOptions): Promise<void> {
  const left = new Set<string>()
  for (;;) {
    const next = state.beats().find(({ name }) => !left.has(name))
    if (!next || (next.at > Date.now() && !waits)) return
    const until = performance.now() + Math.min(pauseMs, Math.max(0, next.at - Date.now()))
    while (performance.now() < until) {
      if (isWoken?.()) return
      await sleep(Math.min(lookMs, until - performance.now()))
    }
    await deliver(state, next.name, { connect })
    const isSent = await sendBeat(state, next, connect).catch((error) => {
      const { place } = state.find(next.name) ?? {}
      if (place && error instanceof ConductError && error.code === 'UNAVAILABLE') {
        leave(place, error.message)
        state.update(next.name, { trouble: error.message })
      }
      return false
    })
    if (!isSent && !isLater(state, next)) left.add(next.name)
    // Another process may have queued a call meanwhile, such as the end of the session, but found the recording busy.
    await deliver(state, next.name, { connect })
  }
}

/** Whether a wait has begun since the heartbeat was due, so that it goes out a moment later. */
const isLater = (state: Spool, { name }: Beat) => state.beats().some((one) => one.name === name && one.at > Date.now())

/** False if another process is talking to the server of that session, or something must be sent first. */
async function sendBeat(state: Spool, beat: Beat, connect: Reach['connect']): Promise<boolean> {
  const { name } = beat
  const { place, trouble = null } = state.find(name) ?? {}
  if (!place) return false
  // A process that cannot reach the place leaves the heartbeat to others.
  await using connection = await connect(place, trouble)
  const holder = randomUUID()
  // The end of a turn must not be overtaken by earlier activity.
  if (!state.claim(name, holder, 2 * tryMs)) return false
  try {
    const recording = state.find(name)
    const { runId, leaseToken } = recording ?? {}
    if (!recording || !runId || !leaseToken || state.next(name)) return false
    const activity = state.takeBeat(beat)
    if (!activity) return false
    const { client } = connection
    const held = { runId, leaseToken, leaseSeconds: leaseSecondsOf(activity) }
    // Whatever is wrong with it, the lease comes first.
    const turn = await openTurnOf(recording, state.notes(name)).catch(() => undefined)
    const shown = { activity: await masked(activity), turn }
    await beatWith(client, held, [shown, { activity: shown.activity }, {}])
    return true
  } finally {
    state.release(name, holder)
  }
}

type Heartbeat = Input<'heartbeat'>

/**
 * Sends a heartbeat that shows the first of these that the server takes. An older one knows no open turn, or not even an
 * activity. The session began there, and must keep its lease.
 */
async function beatWith(client: Client, held: Heartbeat, [shown, ...less]: Partial<Heartbeat>[]): Promise<void> {
  try {
    await client.heartbeat({ ...held, ...shown })
  } catch (error) {
    if (less.length === 0 || !(error instanceof ConductError) || error.code !== 'VALIDATION_ERROR') throw error
    await beatWith(client, held, less)
  }
}

async function masked({ target, ...activity }: ActivityInput): Promise<ActivityInput> {
  return { ...activity, ...(target !== undefined && { target: (await mask(target)).slice(0, 300).toWellFormed() }) }
}

/**
 * What stands so far of the open turn of a session, masked: what its settled notes left, and what its hooks have noted since.
 * Undefined if no turn is open.
 */
async function openTurnOf({ memo, cwd }: Recording, notes: Note[]): Promise<OpenTurn | undefined> {
  const before = memoOf(memo, notes[0]?.at ?? Date.now())
  const now = notes.reduce(
    (memo, { seen, at }) => step(memo, { ...seen, step: stepOf(seen) }, { ...reportAlone, at, agent: '' }).memo,
    before,
  )
  const turn = unfinished(now)
  // Masked before it is cut to what the ledger takes, because a mask may be longer than what it replaces.
  return turn && shownTurn(await maskDeep(turn), (files) => pathsOf(now.base?.root, cwd, files))
}
