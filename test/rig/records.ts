import { setTimeout as after } from 'node:timers/promises'
import type { z } from 'zod'
import type { Check } from '../../src/nouns/run/check/fields.ts'
import type { fullRun } from '../../src/nouns/run/fields.ts'
import type { Turn } from '../../src/nouns/run/turn-fields.ts'
import type { Place } from './place.ts'

/** A run with everything that the ledger has about it, as `conduct` prints it. */
export interface Recorded {
  run: z.infer<typeof fullRun>
  turns: Turn[]
  checks: Check[]
  /** Its content as a terminal shows it. */
  text: string
  /** The patch that its diffs are. */
  patch: string
}

/** How long processes of hooks may continue after their agent has ended, in milliseconds. */
const patience = 30_000

/** The runs of the place, oldest first, once there are `count` and none is in progress, or after `patience`. */
export async function recordsOf(place: Place, count: number): Promise<Recorded[]> {
  const ids = await settled(place, count)
  return ids.map(({ runId }) => ({
    run: JSON.parse(place.conduct('run', 'get', runId, '--json')).run,
    turns: lines(place.conduct('run', 'turns', runId, '--json', '--all')),
    checks: lines(place.conduct('check', 'list', '--run-id', runId, '--json', '--all')),
    text: place.conduct('run', 'content', runId),
    patch: patchOf(place, runId),
  }))
}

/** The patch of a run, also where it leaves files out. */
function patchOf(place: Place, runId: string): string {
  const words = ['run', 'diff', runId, '--patch']
  const { stdout } = (place.fault('conduct', ...words) ?? {}) as { stdout?: string }
  return stdout ?? place.conduct(...words)
}

/** The ids of the runs, oldest first, once there are `count` and none is in progress, or after `patience`. */
export async function settled(place: Place, count = 1): Promise<{ runId: string; status: string }[]> {
  const until = Date.now() + patience
  let ids = idsOf(place)
  const isLate = () => ids.length < count || ids.some(({ status }) => status === 'in_progress')
  while (isLate() && Date.now() < until) {
    // Sync ends the sessions of agents that have disappeared.
    place.fault('conduct', 'sync')
    await after(500)
    ids = idsOf(place)
  }
  return ids
}

const idsOf = (place: Place) =>
  lines<{ runId: string; status: string }>(place.conduct('run', 'list', '--json', '--all')).toReversed()

const lines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line): T => JSON.parse(line))
