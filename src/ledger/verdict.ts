import type { CheckResult } from '../api/check.ts'
import type { Run } from '../api/run.ts'

/** The known state of a repository. Undefined or null: unknown. */
export interface WorkState {
  tree?: string | null | undefined
  commit?: string | null | undefined
  dirty?: boolean | null | undefined
}

/** What a verdict needs to know of a check. */
export interface Counted {
  name: string
  result: CheckResult
  /** The state of the repository when its command ended. */
  state: WorkState
  /** The run's work that it judged, where no state decides. */
  workVersion: number
  /** Whether it carries a command and an exit code. */
  executed: boolean
  /** Whether the actor that set its result wrote nothing of the run. */
  independent: boolean
}

/** The work of a run that checks are to be of. */
export interface Work {
  state: WorkState
  version: number
}

/**
 * Whether two states are of the same work: by their trees, else by their commits where nothing else was changed; undefined
 * where that is not known. Two trees of one clean commit differ only by files that git does not track.
 */
function isSameWork(one: WorkState, other: WorkState): boolean | undefined {
  const isSameCommit = one.commit && other.commit ? one.commit === other.commit : undefined
  const dirty = [one, other].filter((state) => state.dirty === true).length
  if (one.tree && other.tree) return one.tree === other.tree || (isSameCommit === true && dirty === 0)
  if (!isSameCommit) return isSameCommit
  // Two changed states of one commit may be the same or not.
  return dirty === 2 ? undefined : dirty === 0
}

/** Whether the work of a run moved from one state to another. A value that was unknown before did not move. */
export const isOtherWork = (before: WorkState, after: WorkState): boolean => {
  if (before.tree && after.tree) return before.tree !== after.tree
  return Boolean(before.commit && after.commit) && before.commit !== after.commit
}

/** Whether a check is of the work as it is. */
export const isCurrent = ({ state, workVersion }: Pick<Counted, 'state' | 'workVersion'>, work: Work): boolean =>
  isSameWork(state, work.state) ?? workVersion >= work.version

/**
 * The verdict that checks give on the work of a run, and how well they support it. `checks` are the newest by each actor of
 * each name, oldest first. A later independent check replaces those of its name; one by a writer of the run replaces only
 * that writer's own, so that nobody can pass over another's failure.
 */
export function verdictOf(checks: Counted[], work: Work): Pick<Run, 'verdict' | 'evidence'> {
  const counted = checks.filter(
    ({ name }, at) => !checks.slice(at + 1).some((later) => later.name === name && later.independent),
  )
  if (counted.length === 0) return { verdict: 'unchecked', evidence: null }
  const some = (result: CheckResult) => counted.some((check) => check.result === result)
  const isStale = counted.some((check) => !isCurrent(check, work))
  const verdict = some('fail') ? 'failing' : some('warn') ? 'warned' : isStale ? 'stale' : 'verified'
  const strengths = counted.map(({ independent, executed }) => (independent ? 2 : executed ? 1 : 0))
  return { verdict, evidence: (['self', 'executed', 'independent'] as const)[Math.min(...strengths) as 0 | 1 | 2] }
}
