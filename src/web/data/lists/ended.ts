import type { Run } from '../../../nouns/run/fields.ts'
import type { Turn } from '../../../nouns/run/turn-fields.ts'
import { client, clientOf } from '../query/server.ts'
import type { RunFilter } from '../run-filter.ts'
import { byEnd } from '../runs/run-events.ts'

const pageSize = 100
/** How many runs are counted one by one. */
const mostCounted = 500

export interface EndedList {
  /** The runs that ended, the newest end first. */
  runs: Run[]
  /** Whether more runs ended than were read. */
  hasMore: boolean
}

/** The runs that ended after a moment. */
export async function readEnded(scope: RunFilter, endedAfter: string, signal: AbortSignal): Promise<EndedList> {
  const filter = { ...scope, status: ['completed' as const, 'failed' as const], endedAfter, limit: pageSize }
  const runs: Run[] = []
  let cursor: string | undefined
  do {
    const page = await client.listRuns({ ...filter, cursor }, { signal })
    runs.push(...page.runs)
    cursor = page.meta.nextCursor
  } while (cursor !== undefined && runs.length < mostCounted)
  return { runs: runs.toSorted(byEnd), hasMore: cursor !== undefined }
}

/** The last turn of a run; undefined if it has none. */
export async function lastTurnOf({ project, runId }: Run, signal: AbortSignal): Promise<Turn | undefined> {
  const { turns } = await clientOf(project).listTurns({ runId, order: 'desc', limit: 1 }, { signal })
  return turns[0]
}
