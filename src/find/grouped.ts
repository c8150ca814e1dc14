import type { SearchHit as HitPlace } from '../frame/page.ts'
import type { Found } from './fields.ts'
import type { RunOfHit } from './origin.ts'

export interface RunHit extends HitPlace {
  found: Found
  /** The run of a turn, diff or check. */
  run: RunOfHit | undefined
}

/**
 * Each run once, where its first hit is, with the turns, diffs and checks of it that were hit, too. A run that was not hit
 * itself has the snippet of its first part.
 */
export function groupedByRun(hits: readonly RunHit[]): Found[] {
  const groups = Map.groupBy(hits, ({ found, run }) => `${found.project} ${run ? `run ${run.runId}` : nameOf(found)}`)
  return [...groups.values()].map(([first, ...others]) => {
    const all = [first as RunHit, ...others]
    const parts = all.flatMap(({ found: { type, subject, title, snippet }, run }) =>
      run ? [{ type, subject, title, snippet }] : [],
    )
    const whole = all.find(({ run }) => run === undefined)?.found ?? ofRun(first as RunHit)
    return parts.length > 0 ? { ...whole, parts } : whole
  })
}

const nameOf = ({ type, subject }: Found) => `${type} ${subject}`

function ofRun({ found, run }: RunHit): Found {
  if (!run) return found
  const { runId: subject, title, status, updatedAt } = run
  return { ...found, type: 'run', subject, title, status, updatedAt }
}
