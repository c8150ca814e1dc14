import type { CheckResult } from '../check/fields.ts'
import type { Run } from '../fields.ts'
import type { Uncommitted } from '../work-fields.ts'
import { type Evidence, evidences } from './evidence.ts'
import { sentenceOf } from './sentence.ts'
import { bestOf, settle } from './settle.ts'

export type Verdict = Run['verdict']

/** The known state of a repository. Undefined and null mean unknown. */
export interface WorkState {
  tree?: string | null | undefined
  commit?: string | null | undefined
  /** The commits that the run made, oldest first. */
  commits?: readonly string[] | undefined
  dirty?: boolean | null | undefined
  /** The tree of the commit. */
  commitTree?: string | null | undefined
  /** What differs from the commit. Null is unknown; undefined was never sent, as by recorders before version 0.2. */
  uncommitted?: Uncommitted | null | undefined
}

/** The properties of a check that decide its effect on the verdict. */
export interface Judged {
  name: string
  result: CheckResult
  evidence: Evidence
  /** The actor that set its result: its number, its name, and whether its key names a person. */
  by: number
  byName: string
  isPerson: boolean
  command: string | null
  /** The tree when its command began, and when it ended. Both, if they differ: it left files that are not work. */
  startTree: string | null
  tree: string | null
  commitTree: string | null
  commit: string | null
  dirty: boolean | null
  pipeline: { id: string; job: string; attempt?: number | undefined } | null
  /** The version of the work it judged, for runs without trees. */
  workVersion: number
}

/** The work of a run that its checks must match. */
export interface Work {
  state: WorkState
  version: number
}

/** How a check stands. */
export interface Standing<Check extends Judged> {
  check: Check
  /** Its place among the checks of the run, oldest first. */
  at: number
  current: boolean
  /** Whether a failure or warning no longer counts. */
  isCleared?: true
  /** The check that took its place; undefined for one that counts. */
  replacedBy?: Check
}

export interface Judgement<Check extends Judged> {
  verdict: Verdict
  evidence: Evidence | null
  /** The verdict in words. */
  why: string
  /** In the order of the checks. */
  standings: Standing<Check>[]
}

/**
 * Whether the work of a run changed between two states. A value that was unknown before did not change; one that is no
 * longer known did, or a change by way of the unknown would go unnoticed.
 */
export const isOtherWork = (before: WorkState, after: WorkState): boolean => {
  if (before.tree) return before.tree !== after.tree
  return Boolean(before.commit) && before.commit !== after.commit
}

export type IsSameTree = (one: string | null | undefined, other: string | null | undefined) => boolean

const isEqual: IsSameTree = (one, other) => Boolean(one) && one === other

/** Which trees are the same: equal, or told apart only by what checks left behind. Only the recorder of the run knows what they left in its folder. */
function sameTrees(checks: readonly Judged[]): IsSameTree {
  const parents = new Map<string, string>()
  const rootOf = (tree: string): string => {
    let root = tree
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) root = next
    // Later walks from here are short.
    for (let at = tree; at !== root; ) {
      const next = parents.get(at) as string
      parents.set(at, root)
      at = next
    }
    return root
  }
  for (const { evidence, startTree, tree } of checks) {
    if (evidence !== 'executed' || !startTree || !tree) continue
    const [one, other] = [rootOf(startTree), rootOf(tree)]
    if (one !== other) parents.set(one, other)
  }
  return (one, other) => Boolean(one && other) && rootOf(one as string) === rootOf(other as string)
}

/** Whether a check applies to the current work. */
function isCurrent(check: Judged, work: Work, isSame: IsSameTree): boolean {
  const { state } = work
  if (check.startTree && !check.tree) return isBesideWork(check) && testedCommit(check, state, isSame)
  if (isSame(check.tree, state.tree)) return true
  if (testedCommit(check, state, isSame)) return true
  return !state.tree && isCurrentWithoutTree(check, work)
}

/** Whether the files that changed while a check of somebody else ran are its own, such as caches and logs of CI. */
const isBesideWork = ({ evidence, dirty }: Judged) => evidence === 'independent' && dirty === false

/** Whether somebody else tested a commit that has all the work. The run need not have made it. */
const testedWhole = (check: Judged, state: WorkState, isSame: IsSameTree): boolean =>
  isOfCommit(check) && isSame(check.commitTree, state.tree)

/** Whether somebody else tested a commit as it is. */
const isOfCommit = ({ evidence, dirty }: Judged) => evidence === 'independent' && dirty !== true

/** Whether a check tested the commit of the run, and everything of the run is in that commit. */
function testedCommit(check: Judged, state: WorkState, isSame: IsSameTree): boolean {
  if (testedWhole(check, state, isSame)) return true
  const isIndependent = isOfCommit(check)
  if (state.uncommitted === undefined) {
    return isIndependent && state.dirty !== true && isCommit(check, state, isSame)
  }
  if (state.uncommitted === null || state.uncommitted.count > 0) return false
  if (isSame(check.tree, state.commitTree)) return true
  return isIndependent && isCommit(check, state, isSame)
}

/** Whether a check saw the commit of the run with the same files: without its submodules, a commit has fewer. */
function isCommit(check: Judged, state: WorkState, isSame: IsSameTree): boolean {
  if (check.commitTree && state.commitTree) return isSame(check.commitTree, state.commitTree)
  return Boolean(check.commit) && check.commit === state.commit
}

/** For a run without trees: two commits are compared, unless a recorder of the run saw both. */
function isCurrentWithoutTree(check: Judged, { state, version }: Work): boolean {
  const commit = state.commit ?? state.commits?.at(-1)
  // Somebody else tested the commit, and nobody knows what is not in it.
  const isUnknown = state.uncommitted === null && Boolean(commit) && state.dirty !== false
  if (check.evidence === 'independent' && isUnknown) return false
  if (check.evidence !== 'executed' && check.commit && commit) {
    if (check.commit !== commit) return false
    const dirty = [check, state].filter(({ dirty }) => dirty === true).length
    // Two modified states of one commit may or may not be the same.
    if (dirty < 2) return dirty === 0
  }
  return check.workVersion >= version
}

/**
 * The verdict of the checks of a run, oldest first, on its work; its evidence and its sentence; and how each check stands.
 * `required` names the checks that must pass. If it names none, every name that has a check must, and claims count too.
 */
export function judge<Check extends Judged>(
  checks: readonly Check[],
  work: Work,
  required: readonly string[] | null,
): Judgement<Check> {
  const isSame = sameTrees(checks)
  const standings = checks.map((check, at): Standing<Check> => ({ check, at, current: isCurrent(check, work, isSame) }))
  const named = Map.groupBy(standings, ({ check }) => check.name)
  for (const some of named.values()) settle(some)
  const isRequired = required !== null && required.length > 0
  const needed = isRequired ? [...new Set(required)] : [...named.keys()]
  const bests = needed.map((name) => {
    const passes = (named.get(name) ?? []).filter(({ check }) => check.result === 'pass')
    return bestOf(isRequired ? passes.filter(({ check }) => check.evidence !== 'self') : passes)
  })
  const found = decide(standings, bests)
  const ordered = standings.toSorted((one, other) => one.at - other.at)
  const { state } = work
  // A commit without the files that checks left does not have all of them.
  const isCommitted = checks.some((check) => testedWhole(check, state, isEqual))
  const why = sentenceOf({
    ...found,
    standings: ordered,
    needed,
    bests,
    state,
    version: work.version,
    isCommitted,
    isSame,
  })
  return { verdict: found.verdict, evidence: found.evidence, why, standings }
}

/** The first verdict that applies, and its evidence. */
function decide(standings: readonly Standing<Judged>[], bests: readonly (Standing<Judged> | undefined)[]) {
  for (const [result, verdict] of [
    ['fail', 'failing'],
    ['warn', 'warned'],
  ] as const) {
    const counting = standings.filter((one) => one.check.result === result && !one.isCleared)
    if (counting.length > 0) return { verdict, evidence: evidences.findLast(isIn(counting)) as Evidence }
  }
  const passes = bests.filter((best) => best !== undefined)
  if (passes.length === 0 || passes.length < bests.length) return { verdict: 'unchecked', evidence: null } as const
  const evidence = evidences.find(isIn(passes)) as Evidence
  return { verdict: passes.every(({ current }) => current) ? 'verified' : 'stale', evidence } as const
}

const isIn = (some: readonly Standing<Judged>[]) => (evidence: Evidence) =>
  some.some(({ check }) => check.evidence === evidence)
