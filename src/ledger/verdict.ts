import type { CheckResult } from '../api/check.ts'
import type { Run } from '../api/run.ts'

/** What a verdict needs to know of the newest check of each name. */
export interface Counted {
  result: CheckResult
  /** The run's work that it judged. */
  workVersion: number
  /** Whether it carries a command and an exit code. */
  executed: boolean
  /** Whether the key that set its result neither made the run nor changed its work. */
  independent: boolean
}

/** The verdict that the newest checks of each name give on a run whose work has that version, and how well they support it. */
export function verdictOf(checks: Counted[], workVersion: number): Pick<Run, 'verdict' | 'evidence'> {
  if (checks.length === 0) return { verdict: 'unchecked', evidence: null }
  const some = (result: CheckResult) => checks.some((check) => check.result === result)
  const isStale = checks.some((check) => check.workVersion < workVersion)
  const verdict = some('fail') ? 'failing' : some('warn') ? 'warned' : isStale ? 'stale' : 'verified'
  const strengths = checks.map(({ independent, executed }) => (independent ? 2 : executed ? 1 : 0))
  return { verdict, evidence: (['self', 'executed', 'independent'] as const)[Math.min(...strengths) as 0 | 1 | 2] }
}
