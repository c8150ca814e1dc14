import type { CheckResult } from '../api/check.ts'
import type { Run } from '../api/run.ts'

/** What a verdict needs to know of a check. */
export interface Counted {
  name: string
  result: CheckResult
  /** The run's work that it judged. */
  workVersion: number
  /** Whether it carries a command and an exit code. */
  executed: boolean
  /** Whether the actor that set its result wrote nothing of the run. */
  independent: boolean
}

/**
 * The verdict that checks give on a run whose work has that version, and how well they support it. `checks` are the newest
 * by each actor of each name, oldest first. A later independent check replaces those of its name; one by an author of the
 * run replaces only that author's own, so that nobody can pass over another's failure.
 */
export function verdictOf(checks: Counted[], workVersion: number): Pick<Run, 'verdict' | 'evidence'> {
  const counted = checks.filter(
    ({ name }, at) => !checks.slice(at + 1).some((later) => later.name === name && later.independent),
  )
  if (counted.length === 0) return { verdict: 'unchecked', evidence: null }
  const some = (result: CheckResult) => counted.some((check) => check.result === result)
  const isStale = counted.some((check) => check.workVersion < workVersion)
  const verdict = some('fail') ? 'failing' : some('warn') ? 'warned' : isStale ? 'stale' : 'verified'
  const strengths = counted.map(({ independent, executed }) => (independent ? 2 : executed ? 1 : 0))
  return { verdict, evidence: (['self', 'executed', 'independent'] as const)[Math.min(...strengths) as 0 | 1 | 2] }
}
