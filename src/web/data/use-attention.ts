import { createContext } from 'preact'
import type { Event } from '../../api/event.ts'
import type { Run } from '../../api/run.ts'
import type { ConductError } from '../../client/client.ts'
import { type Attention, attentionOf } from './attention.ts'
import { useRead } from './read.ts'
import { client } from './server.ts'

const periodMs = 14 * 86_400_000
/** How many of the newest runs of the period are looked through; of the older ones only those that failed. */
const lookedThrough = 500

export interface Seen extends Attention {
  count: number
  /** Whether it is known yet. */
  isRead: boolean
  error: ConductError | undefined
}

export const AttentionContext = createContext<Seen>({
  needs: [],
  unchecked: 0,
  stale: 0,
  count: 0,
  isRead: false,
  error: undefined,
})

/** What needs attention, kept up to date while the page is open. */
export function useAttention(): Seen {
  const { data, error } = useRead('attention', read, { touches, restMs: 3000 })
  const { needs, unchecked, stale } = data ?? { needs: [], unchecked: 0, stale: 0 }
  return { needs, unchecked, stale, count: needs.length, isRead: data !== undefined, error }
}

async function read(signal: AbortSignal): Promise<Attention> {
  const createdAfter = new Date(Date.now() - periodMs).toISOString()
  const [newest, ...others] = await Promise.all([
    newestRuns(createdAfter, signal),
    client.listRuns({ status: ['failed'], createdAfter, limit: 100 }, { signal }),
    client.listRuns({ verdict: ['failing'], createdAfter, limit: 100 }, { signal }),
  ])
  const runs = [...newest, ...others.flatMap(({ runs }) => runs)]
  return attentionOf([...new Map(runs.map((run) => [run.id, run])).values()])
}

async function newestRuns(createdAfter: string, signal: AbortSignal): Promise<Run[]> {
  const runs: Run[] = []
  for await (const run of client.all('listRuns', { createdAfter, limit: 100 }, { signal })) {
    if (runs.push(run) === lookedThrough) break
  }
  return runs
}

const weighty = ['status', 'verdict', 'labels', 'failure']

const touches = ({ type, changes }: Event) =>
  type === 'run.created' || type === 'run.deleted' || weighty.some((field) => field in changes)
