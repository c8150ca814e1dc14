import type { Run } from '../../nouns/run/fields.ts'
import { byEnd } from './attention.ts'
import { client } from './server.ts'
import { serverNow } from './server-time.ts'

const hourMs = 3_600_000
const spansMs = [hourMs, 24 * hourMs, 30 * 24 * hourMs, Number.POSITIVE_INFINITY]

/**
 * The runs that ended last, newest end first. The server lists runs by their creation, so this reads those of the last
 * hour, and of a longer time while they are too few.
 */
export async function lastEnded(project: string[], count: number, signal: AbortSignal): Promise<Run[]> {
  const filter = {
    status: ['completed' as const, 'failed' as const],
    limit: 100,
    ...(project.length > 0 && { project }),
  }
  let found: Run[] = []
  for (const spanMs of spansMs) {
    const after = Number.isFinite(spanMs) ? { endedAfter: new Date(serverNow() - spanMs).toISOString() } : {}
    found = (await client.listRuns({ ...filter, ...after }, { signal })).runs
    if (found.length >= count) break
  }
  return found.toSorted(byEnd).slice(0, count)
}
