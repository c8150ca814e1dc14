import type { Check } from '../../../nouns/run/check/fields.ts'
import type { Run } from '../../../nouns/run/fields.ts'
import { type Read, useRead } from '../query/read.ts'
import { clientOf } from '../query/server.ts'
import { useMine } from './whose.ts'

/** How many of its newest runs are asked for their checks. */
const mostRuns = 100

/** The newest check of each name that counts, over the newest runs of a spec; under *Mine*, over the person's own. */
export function useSpecChecks(project: string, specId: string): Read<Check[]> {
  const mine = useMine()
  return useRead(
    `checks of ${project}/${specId} ${mine}`,
    async (signal) => {
      const { runs } = await clientOf(project).listSpecRuns({ specId, mine, limit: mostRuns }, { signal })
      if (runs.length === 0) return []
      const runId = runs.map((run) => run.runId)
      const { checks } = await clientOf(project).listChecks({ runId, limit: mostRuns }, { signal })
      return newestOf(checks)
    },
    { touches: ({ type, project: at }) => at === project && type.startsWith('check.'), restMs: 2000 },
  )
}

/** The first check of each name that counts. */
export function newestOf(checks: readonly Check[]): Check[] {
  const counting = checks.filter(({ counts }) => counts)
  return counting.filter(({ name }, at) => counting.findIndex((one) => one.name === name) === at)
}

/** The newest run of a spec, under *Mine* of the person's own; null if there is none. */
export function useNewestRun(project: string, specId: string, isWanted: boolean): Read<Run | null> {
  const mine = useMine()
  return useRead(
    isWanted ? `newest of ${project}/${specId} ${mine}` : '',
    async (signal) => {
      const { runs } = await clientOf(project).listSpecRuns({ specId, mine, limit: 1 }, { signal })
      return runs[0] ?? null
    },
    // An event of a run does not name its spec, so every visible one must look.
    { touches: (event) => event.project === project && bearsOnWork(event.changes), restMs: 10_000 },
  )
}

const bearsOnWork = (changes: object) => ['status', 'verdict', 'specId'].some((field) => field in changes)
