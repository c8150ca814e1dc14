import { createContext } from 'preact'
import type { Event } from '../../api/event.ts'
import type { Run } from '../../api/run.ts'
import type { ConductError, Input } from '../../client/client.ts'
import { type Attention, attentionOf, type Need } from './attention.ts'
import { dismissalOf, useDismissed } from './dismissed.ts'
import { useRead } from './read.ts'
import { client } from './server.ts'

const periodMs = 14 * 86_400_000
/** How many of the newest runs of the period to check. Of older ones only the failed are read. */
const lookedThrough = 500

export interface Seen extends Attention {
  /** What this person has dismissed. */
  dismissed: Need[]
  count: number
  /** Whether it is loaded. */
  isRead: boolean
  error: ConductError | undefined
}

const nothing = { needs: [], unchecked: 0, stale: 0 }

export const AttentionContext = createContext<Seen>({
  ...nothing,
  dismissed: [],
  count: 0,
  isRead: false,
  error: undefined,
})

/** What needs attention, kept up to date while the page is open. */
export function useAttention(projects: string[]): Seen {
  const filter = projects.length > 0 ? { project: projects } : {}
  const { data, error } = useRead(`attention ${projects.join(' ')}`, (signal) => read(filter, signal), {
    touches,
    restMs: 3000,
  })
  const hidden = useDismissed()
  const { needs: all, unchecked, stale } = data ?? nothing
  const isHidden = (need: Need) => hidden.has(dismissalOf(need))
  const needs = all.filter((need) => !isHidden(need))
  return {
    needs,
    dismissed: all.filter(isHidden),
    unchecked,
    stale,
    count: needs.length,
    isRead: data !== undefined,
    error,
  }
}

type Filter = Input<'listRuns'>

async function read(projects: Filter, signal: AbortSignal): Promise<Attention> {
  const filter = { ...projects, createdAfter: new Date(Date.now() - periodMs).toISOString() }
  const [newest, ...others] = await Promise.all([
    newestRuns(filter, signal),
    client.listRuns({ ...filter, status: ['failed'], limit: 100 }, { signal }),
    client.listRuns({ ...filter, verdict: ['failing'], limit: 100 }, { signal }),
  ])
  const runs = [...newest, ...others.flatMap(({ runs }) => runs)]
  return attentionOf([...new Map(runs.map((run) => [run.id, run])).values()])
}

async function newestRuns(filter: Filter, signal: AbortSignal): Promise<Run[]> {
  const runs: Run[] = []
  for await (const run of client.all('listRuns', { ...filter, limit: 100 }, { signal })) {
    if (runs.push(run) === lookedThrough) break
  }
  return runs
}

const weighty = ['status', 'verdict', 'failure']

const touches = ({ type, changes }: Event) =>
  type === 'run.created' || type === 'run.deleted' || weighty.some((field) => field in changes)
