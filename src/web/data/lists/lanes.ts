import { createContext } from 'preact'
import { useContext, useMemo, useRef } from 'preact/hooks'
import type { ConductError } from '../../../client/client.ts'
import type { Run } from '../../../nouns/run/fields.ts'
import { useRead } from '../query/read.ts'
import { client } from '../query/server.ts'
import { keptRuns } from '../runs/run-events.ts'
import { isWaiting, type KnownAsking, readAsking } from './asking.ts'

/** The runs in progress. Every page shows how many of them wait for a person. */
interface Lanes {
  runs: Run[]
  /** Those of them that wait for a person. */
  waiting: Run[]
  /** Whether there are more than were loaded. */
  hasMore: boolean
  isRead: boolean
  /** Whether the runs are those of the chosen projects, rather than still those of the ones before. */
  isCurrent: boolean
  error: ConductError | undefined
  reload(): void
}

export const LanesContext = createContext<Lanes>({
  runs: [],
  waiting: [],
  hasMore: false,
  isRead: false,
  isCurrent: false,
  error: undefined,
  reload: () => {},
})

export const pollMs = 5_000

/**
 * Keeps them up to date. Heartbeats and activities have no events, so they are polled; also in a hidden tab if
 * requested.
 */
export function useLanes(projects: string[], mine: true | undefined, isHiddenToo: boolean): Lanes {
  const input = {
    status: ['in_progress' as const],
    limit: 100,
    mine,
    ...(projects.length > 0 && { project: projects }),
  }
  const last = useRef<Run[]>([])
  const asking = useRef<KnownAsking>(new Map())
  const { data, error, isCurrent, reload } = useRead(
    `lanes ${mine} ${projects.join(' ')}`,
    async (signal) => {
      const { runs, meta } = await client.listRuns(input, { signal })
      last.current = keptRuns(last.current, runs)
      asking.current = await readAsking(runs, asking.current, signal)
      const waiting = last.current.filter((run) => isWaiting(run, asking.current))
      return { runs: byUrgency(last.current, waiting), waiting, meta }
    },
    { touches: ({ type }) => /^(run|project)\./.test(type), restMs: 500, everyMs: pollMs, isHiddenToo },
  )
  return {
    runs: data?.runs ?? [],
    waiting: data?.waiting ?? [],
    hasMore: data?.meta.hasMore ?? false,
    isRead: data !== undefined,
    isCurrent,
    error,
    reload,
  }
}

/**
 * The run with its current activity and lease, which have no events, but are polled for the runs in progress; for one
 * that is not among the lanes, such as that of another project than the chosen ones, by itself.
 */
export function useLiveRun<R extends Run>(run: R): R {
  const { runs, isRead } = useContext(LanesContext)
  const lane = runs.find(({ id }) => id === run.id)
  const isAlone = run.status === 'in_progress' && isRead && lane === undefined
  const { data } = useRead(isAlone ? `live ${run.id}` : '', (signal) => readWithoutContent(run, signal), {
    everyMs: pollMs,
  })
  const polled = lane ?? data
  if (!polled || run.endedAt !== null) return run
  const { activity, lastSeenAt, leaseExpiresAt } = polled
  return { ...run, activity, lastSeenAt, leaseExpiresAt }
}

/** The runs with the current activities of those that are among the lanes. One that has not changed is the same object. */
export function useLiveRuns(runs: Run[]): Run[] {
  const lanes = useContext(LanesContext).runs
  const kept = useRef(new Map<number, { run: Run; lane: Run; shown: Run }>())
  return useMemo(() => {
    const live = new Map(lanes.map((lane) => [lane.id, lane]))
    const before = kept.current
    kept.current = new Map()
    return runs.map((run) => {
      const lane = live.get(run.id)
      if (!lane || run.endedAt !== null) return run
      const was = before.get(run.id)
      const shown = was?.run === run && was.lane === lane ? was.shown : { ...run, activity: lane.activity }
      kept.current.set(run.id, { run, lane, shown })
      return shown
    })
  }, [runs, lanes])
}

/** Reads a run from the list of those that were created in the same millisecond. */
async function readWithoutContent({ id, project, createdAt }: Run, signal: AbortSignal): Promise<Run | undefined> {
  const near = (ms: number) => new Date(Date.parse(createdAt) + ms).toISOString()
  const span = { createdAfter: near(-1), createdBefore: near(1) }
  const { runs } = await client.listRuns({ project: [project], ...span, limit: 100 }, { signal })
  return runs.find((run) => run.id === id)
}

const order = ['waiting', 'working', undefined, 'idle'] as const

/** Runs that wait for a person first, idle ones last. */
function byUrgency(runs: Run[], waiting: Run[]): Run[] {
  const placeOf = (run: Run) => order.indexOf(waiting.includes(run) ? 'waiting' : run.activity?.state)
  return runs.toSorted((a, b) => placeOf(a) - placeOf(b))
}
