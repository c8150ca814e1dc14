import type { CheckResult } from '../api/check.ts'
import type { Run } from '../api/run.ts'

/** The known state of a repository. Undefined and null mean unknown. */
export interface WorkState {
  tree?: string | null | undefined
  commit?: string | null | undefined
  dirty?: boolean | null | undefined
}

/** The properties of a check that decide its effect on the verdict. */
export interface Counted {
  name: string
  result: CheckResult
  /** The state of the repository when its command ended. */
  state: WorkState
  /** The version of the work it judged, for checks without a state. */
  workVersion: number
  /** Whether it has a command and an exit code. */
  executed: boolean
  /** Whether the actor that set its result wrote nothing else in the run. */
  independent: boolean
}

/** The work of a run that its checks must match. */
export interface Work {
  state: WorkState
  version: number
}

/**
 * Whether two states are the same work: by their trees, else by their commits if nothing else was changed; undefined if
 * that is unknown. Two trees of one clean commit differ only in untracked files.
 */
function isSameWork(one: WorkState, other: WorkState): boolean | undefined {
  const isSameCommit = one.commit && other.commit ? one.commit === other.commit : undefined
  const dirty = [one, other].filter((state) => state.dirty === true).length
  if (one.tree && other.tree) {
    const areClean = one.dirty === false && other.dirty === false
    return one.tree === other.tree || (isSameCommit === true && areClean)
  }
  if (!isSameCommit) return isSameCommit
  // Two modified states of one commit may or may not be the same.
  return dirty === 2 ? undefined : dirty === 0
}

/**
 * Whether the work of a run changed between two states. A value that was unknown before did not change; one that is no
 * longer known did, or a change by way of the unknown would go unnoticed.
 */
export const isOtherWork = (before: WorkState, after: WorkState): boolean => {
  if (before.tree) return before.tree !== after.tree
  return Boolean(before.commit) && before.commit !== after.commit
}

/** Whether a check applies to the current work. */
export const isCurrent = ({ state, workVersion }: Pick<Counted, 'state' | 'workVersion'>, work: Work): boolean =>
  isSameWork(state, work.state) ?? workVersion >= work.version

/**
 * The checks that count, of the newest of each name by each actor, oldest first. A later independent check replaces all
 * earlier ones of its name; a check by a writer of the run replaces only that writer's own, so nobody can override someone
 * else's failure.
 */
export const countingOf = <Check extends Counted>(checks: Check[]): Check[] =>
  checks.filter(({ name }, at) => !checks.slice(at + 1).some((later) => later.name === name && later.independent))

/**
 * The verdict of checks on the work of a run, and how strong their evidence is. `checks` are the newest of each name by
 * each actor, oldest first.
 */
export function verdictOf(checks: Counted[], work: Work): Pick<Run, 'verdict' | 'evidence'> {
  const counted = countingOf(checks)
  if (counted.length === 0) return { verdict: 'unchecked', evidence: null }
  const some = (result: CheckResult) => counted.some((check) => check.result === result)
  const isStale = counted.some((check) => !isCurrent(check, work))
  const verdict = some('fail') ? 'failing' : some('warn') ? 'warned' : isStale ? 'stale' : 'verified'
  const strengths = counted.map(({ independent, executed }) => (independent ? 2 : executed ? 1 : 0))
  return { verdict, evidence: (['self', 'executed', 'independent'] as const)[Math.min(...strengths) as 0 | 1 | 2] }
}
