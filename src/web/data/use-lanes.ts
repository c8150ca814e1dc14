import { createContext } from 'preact'
import { useContext, useRef } from 'preact/hooks'
import type { Run } from '../../api/run.ts'
import type { ConductError } from '../../client/client.ts'
import { keptRuns } from './kept-runs.ts'
import { useRead } from './read.ts'
import { client } from './server.ts'

/** The runs in progress. Every page shows how many of them wait for a person. */
export interface Lanes {
  runs: Run[]
  waiting: Run[]
  /** Whether there are more than were loaded. */
  hasMore: boolean
  isRead: boolean
  error: ConductError | undefined
  reload(): void
}

export const LanesContext = createContext<Lanes>({
  runs: [],
  waiting: [],
  hasMore: false,
  isRead: false,
  error: undefined,
  reload: () => {},
})

/**
 * Keeps them up to date. Heartbeats and activities have no events, so they are polled; also in a hidden tab if
 * requested.
 */
export function useLanes(projects: string[], isHiddenToo: boolean): Lanes {
  const input = { status: ['in_progress' as const], limit: 100, ...(projects.length > 0 && { project: projects }) }
  const last = useRef<Run[]>([])
  const { data, error, reload } = useRead(
    `lanes ${projects.join(' ')}`,
    async (signal) => {
      const { runs, meta } = await client.listRuns(input, { signal })
      last.current = keptRuns(last.current, runs)
      return { runs: last.current, meta }
    },
    { touches: ({ type }) => type.startsWith('run.'), restMs: 500, everyMs: 5_000, isHiddenToo },
  )
  const runs = byUrgency(data?.runs ?? [])
  return {
    runs,
    waiting: runs.filter(({ activity }) => activity?.state === 'waiting'),
    hasMore: data?.meta.hasMore ?? false,
    isRead: data !== undefined,
    error,
    reload,
  }
}

/** The run with its current activity and lease, which have no events, but are polled for the runs in progress. */
export function useLiveRun<R extends Run>(run: R): R {
  const { runs } = useContext(LanesContext)
  const polled = run.endedAt === null && runs.find(({ id }) => id === run.id)
  if (!polled) return run
  const { activity, lastSeenAt, leaseExpiresAt } = polled
  return { ...run, activity, lastSeenAt, leaseExpiresAt }
}

const order = ['waiting', 'working', undefined, 'idle'] as const

/** Runs that wait for a person first, idle ones last. */
const byUrgency = (runs: Run[]) =>
  runs.toSorted((a, b) => order.indexOf(a.activity?.state) - order.indexOf(b.activity?.state))
