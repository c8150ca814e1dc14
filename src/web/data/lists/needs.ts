import { createContext } from 'preact'
import type { ConductError, Input } from '../../../client/client.ts'
import type { Event } from '../../../log/fields.ts'
import type { Run } from '../../../nouns/run/fields.ts'
import { keptIn, textsOf, useKept } from '../browser/storage.ts'
import { useRead } from '../query/read.ts'
import { client, clientOf } from '../query/server.ts'
import { serverNow } from '../query/timing.ts'
import { type Attention, attentionOf, isGood, type Need } from './attention.ts'

const periodMs = 14 * 86_400_000
/** How many of the newest runs of the period to check. Of older ones only the failed are read. */
const lookedThrough = 500
/** Of how many older failed runs to read the later attempts. */
const mostOlder = 50

/** The start of the period. */
export const attentionSince = (): Date => new Date(serverNow() - periodMs)

interface Found extends Attention {
  /** Whether more runs may need attention than were read. */
  hasMore: boolean
  /** Whether there are more runs than were counted as unchecked or stale. */
  isPartial: boolean
}

interface Seen extends Found {
  /** What this person has dismissed. */
  dismissed: Need[]
  count: number
  /** Whether it is loaded. */
  isRead: boolean
  /** Whether it is that of the chosen projects, rather than still that of the ones before. */
  isCurrent: boolean
  error: ConductError | undefined
}

const nothing: Found = { needs: [], unchecked: 0, stale: 0, hasMore: false, isPartial: false }

export const AttentionContext = createContext<Seen>({
  ...nothing,
  dismissed: [],
  count: 0,
  isRead: false,
  isCurrent: false,
  error: undefined,
})

/** What needs attention, kept up to date while the page is open. */
export function useAttention(projects: string[], mine: true | undefined): Seen {
  const filter = { mine, ...(projects.length > 0 && { project: projects }) }
  const { data, error, isCurrent } = useRead(
    `attention ${mine} ${projects.join(' ')}`,
    (signal) => read(filter, signal),
    {
      touches,
      restMs: 3000,
    },
  )
  const hidden = useDismissed()
  const found = data ?? nothing
  const isHidden = (need: Need) => hidden.has(dismissalOf(need))
  const needs = found.needs.filter((need) => !isHidden(need))
  return {
    ...found,
    needs,
    dismissed: found.needs.filter(isHidden),
    count: needs.length,
    isRead: data !== undefined,
    isCurrent,
    error,
  }
}

type Filter = Input<'listRuns'>

async function read(projects: Filter, signal: AbortSignal): Promise<Found> {
  const filter = { ...projects, createdAfter: attentionSince().toISOString() }
  const [{ runs: newest, isPartial }, ...others] = await Promise.all([
    newestRuns(filter, signal),
    client.listRuns({ ...filter, status: ['failed'], limit: 100 }, { signal }),
    client.listRuns({ ...filter, verdict: ['failing'], limit: 100 }, { signal }),
  ])
  const known = new Set(newest.map(({ id }) => id))
  const older = new Map(others.flatMap(({ runs }) => runs.map((run) => [run.id, run])))
  for (const id of known) older.delete(id)
  const open = await openOf([...older.values()].slice(0, mostOlder), signal)
  const attention = attentionOf([...newest, ...open])
  const isCut = older.size > mostOlder || others.some(({ meta }) => meta.hasMore)
  const isOfDoubt = attention.needs.some(({ why }) => why === 'stale' || why === 'unchecked')
  return { ...attention, isPartial, hasMore: isPartial && (isCut || isOfDoubt) }
}

async function newestRuns(filter: Filter, signal: AbortSignal): Promise<{ runs: Run[]; isPartial: boolean }> {
  const runs: Run[] = []
  for await (const run of client.all('listRuns', { ...filter, limit: 100 }, { signal })) {
    if (runs.length === lookedThrough) return { runs, isPartial: true }
    runs.push(run)
  }
  return { runs, isPartial: false }
}

/** The runs that no later attempt has made good. */
async function openOf(runs: Run[], signal: AbortSignal): Promise<Run[]> {
  const asked = new Set(runs.map(({ id }) => id))
  for (const id of settledRead.keys()) if (!asked.has(id)) settledRead.delete(id)
  const settled = await Promise.all(runs.map((run) => isSettled(run, signal)))
  return runs.filter((_, index) => !settled[index])
}

const settledMs = 300_000
/** What was read about the later attempts of the older runs, by row id. It is read again after some minutes. */
const settledRead = new Map<number, { at: number; isSettled: boolean }>()

async function isSettled({ id, project, runId, attempt }: Run, signal: AbortSignal): Promise<boolean> {
  const read = settledRead.get(id)
  if (read && Date.now() - read.at < settledMs) return read.isSettled
  const { timeline } = await clientOf(project).timeline({ runId }, { signal })
  const isSettled = timeline.some(
    (entry) => entry.kind === 'attempt' && entry.run.attempt > attempt && isGood(entry.run),
  )
  settledRead.set(id, { at: Date.now(), isSettled })
  return isSettled
}

const weighty = ['status', 'verdict', 'failure']

const touches = ({ type, changes }: Event) =>
  type === 'run.created' || type === 'run.deleted' || weighty.some((field) => field in changes)

/** The most dismissals to keep. The oldest are dropped first. */
const most = 500

const kept = keptIn('dismissed', (value) => new Set(textsOf(value)))

/** The key of a dismissal: the run, how it ended, and the reason. Later changes of the run need attention again. */
const dismissalOf = ({ run, why }: Need) => `${run.id} ${run.endedAt} ${why}`

/**
 * What the person at this browser has dismissed. It stays in this browser: others may still need to look, and the run
 * does not change.
 */
const useDismissed = (): ReadonlySet<string> => useKept(kept)

export const dismiss = (need: Need) => kept.write(new Set([...without(need), dismissalOf(need)].slice(-most)))

/** Undoes a dismissal. */
export const restore = (need: Need) => kept.write(new Set(without(need)))

const without = (need: Need) => [...kept.read()].filter((one) => one !== dismissalOf(need))
