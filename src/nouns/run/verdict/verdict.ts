import type { CheckResult } from '../check/fields.ts'
import type { Run } from '../fields.ts'
import type { Uncommitted } from '../work-fields.ts'
import { sameCommand } from './command.ts'
import { type Evidence, evidences } from './evidence.ts'
import { sentenceOf } from './sentence.ts'

export type Verdict = Run['verdict']

/** The known state of a repository. Undefined and null mean unknown. */
export interface WorkState {
  tree?: string | null | undefined
  commit?: string | null | undefined
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

const strength = ({ evidence }: Pick<Judged, 'evidence'>) => evidences.indexOf(evidence)

/**
 * Whether the work of a run changed between two states. A value that was unknown before did not change; one that is no
 * longer known did, or a change by way of the unknown would go unnoticed.
 */
export const isOtherWork = (before: WorkState, after: WorkState): boolean => {
  if (before.tree) return before.tree !== after.tree
  return Boolean(before.commit) && before.commit !== after.commit
}

type IsSameTree = (one: string | null | undefined, other: string | null | undefined) => boolean

/** Which trees are the same: equal, or told apart only by what checks left behind. Only the recorder of the run knows what they left in its folder. */
function sameTrees(checks: readonly Judged[]): IsSameTree {
  const parents = new Map<string, string>()
  const rootOf = (tree: string): string => {
    const parent = parents.get(tree)
    return parent === undefined ? tree : rootOf(parent)
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
  // Files changed while it ran.
  if (check.startTree && !check.tree) return false
  if (isSame(check.tree, state.tree)) return true
  if (testedCommit(check, state, isSame)) return true
  return !state.tree && isCurrentWithoutTree(check, work)
}

/** Whether a check tested the commit of the run, and everything of the run is in that commit. */
function testedCommit(check: Judged, state: WorkState, isSame: IsSameTree): boolean {
  const isIndependent = check.evidence === 'independent' && check.dirty !== true
  if (state.uncommitted === undefined) {
    return isIndependent && state.dirty !== true && Boolean(check.commit) && check.commit === state.commit
  }
  if (state.uncommitted === null || state.uncommitted.count > 0) return false
  if (isSame(check.tree, state.commitTree)) return true
  if (!isIndependent) return false
  // Without a tree, the commit itself says which files it has.
  return isSame(check.commitTree, state.commitTree) || (Boolean(check.commit) && check.commit === state.commit)
}

/** For a run without trees: two commits are compared, unless a recorder of the run saw both. */
function isCurrentWithoutTree(check: Judged, { state, version }: Work): boolean {
  if (check.evidence !== 'executed' && check.commit && state.commit) {
    if (check.commit !== state.commit) return false
    const dirty = [check, state].filter(({ dirty }) => dirty === true).length
    // Two modified states of one commit may or may not be the same.
    if (dirty < 2) return dirty === 0
  }
  return check.workVersion >= version
}

/** Whether a check can speak for another: it is known as well, by the same command, and is no other part of one pipeline. */
function speaksFor(later: Judged, earlier: Judged): boolean {
  if (strength(later) < strength(earlier)) return false
  // What somebody claims takes nothing from what somebody else claims.
  if (later.evidence === 'self' && later.by !== earlier.by) return false
  return (later.evidence === 'independent' || isSameCommand(later, earlier)) && !isOtherPart(later, earlier)
}

function isSameCommand(one: Judged, other: Judged): boolean {
  if (one.command !== null && other.command !== null) return sameCommand(one.command, other.command)
  // A claim need not name its command.
  return one.command === other.command || (one.evidence === 'self' && other.evidence === 'self')
}

/** Whether both come from one run of a pipeline, and the first is no later attempt of the job of the other. */
function isOtherPart({ pipeline: one }: Judged, { pipeline: other }: Judged): boolean {
  if (one === null || other === null || one.id !== other.id) return false
  return one.job !== other.job || (one.attempt ?? 1) <= (other.attempt ?? 1)
}

type Entry<Check extends Judged> = Standing<Check>

/** Whether one check takes the place of another: it is later and no less current, or current while the other is not. */
function replaces<Check extends Judged>(one: Entry<Check>, other: Entry<Check>): boolean {
  const isBetter = one.current && !other.current
  const isLater = one.at > other.at && (one.current || !other.current)
  return (isBetter || isLater) && speaksFor(one.check, other.check)
}

/** Worse first. A check can be cleared by one with a better result. */
const results: readonly CheckResult[] = ['fail', 'warn', 'pass']
const rank = ({ check }: Entry<Judged>) => results.indexOf(check.result)

/** The pass that speaks for a name: a current one where there is one, the strongest of these, the newest of these. */
const bestOf = <Check extends Judged>(passes: readonly Entry<Check>[]): Entry<Check> | undefined =>
  passes.reduce<Entry<Check> | undefined>((best, one) => (!best || isAtLeast(one, best) ? one : best), undefined)

function isAtLeast(one: Entry<Judged>, best: Entry<Judged>): boolean {
  if (one.current !== best.current) return one.current
  return strength(one.check) >= strength(best.check)
}

/** Finds what replaced each check of one name. */
function settle<Check extends Judged>(named: Entry<Check>[]): void {
  for (const one of named) {
    if (one.check.result === 'pass') continue
    const by = named.findLast((other) => rank(other) > rank(one) && replaces(other, one))
    if (by) Object.assign(one, { isCleared: true, replacedBy: by.check })
  }
  // The same failure again: it counts as before, and only the newest is shown.
  const open = named.filter(({ check, isCleared }) => check.result !== 'pass' && !isCleared)
  for (const one of open) {
    const by = open.findLast(
      (other) => other !== one && other.check.result === one.check.result && replaces(other, one),
    )
    if (by) one.replacedBy = by.check
  }
  const passes = named.filter(({ check }) => check.result === 'pass')
  const best = bestOf(passes)
  if (!best) return
  const worse = named.findLast((one) => one.check.result !== 'pass' && !one.isCleared && replaces(one, best))
  for (const one of passes) {
    const by = one === best ? worse : best
    const isLeg = one.check.pipeline && one.check.pipeline.id === by?.check.pipeline?.id
    if (by && !isLeg) one.replacedBy = by.check
  }
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
  const standings = checks.map((check, at): Entry<Check> => ({ check, at, current: isCurrent(check, work, isSame) }))
  const named = Map.groupBy(standings, ({ check }) => check.name)
  for (const some of named.values()) settle(some)
  const isRequired = required !== null && required.length > 0
  const needed = isRequired ? [...new Set(required)] : [...named.keys()]
  const bests = needed.map((name) => {
    const passes = (named.get(name) ?? []).filter(({ check }) => check.result === 'pass')
    return bestOf(isRequired ? passes.filter(({ check }) => check.evidence !== 'self') : passes)
  })
  const found = decide(standings, bests)
  const why = sentenceOf({ ...found, standings, needed, bests, state: work.state, isSame })
  return { verdict: found.verdict, evidence: found.evidence, why, standings }
}

/** The first verdict that applies, and its evidence. */
function decide(standings: readonly Entry<Judged>[], bests: readonly (Entry<Judged> | undefined)[]) {
  for (const [result, verdict] of [
    ['fail', 'failing'],
    ['warn', 'warned'],
  ] as const) {
    const counting = standings.filter((one) => one.check.result === result && !one.isCleared)
    if (counting.length > 0) return { verdict, evidence: evidences[Math.max(...counting.map(strengthOf))] as Evidence }
  }
  const passes = bests.filter((best) => best !== undefined)
  if (passes.length === 0 || passes.length < bests.length) return { verdict: 'unchecked', evidence: null } as const
  const evidence = evidences[Math.min(...passes.map(strengthOf))] as Evidence
  return { verdict: passes.every(({ current }) => current) ? 'verified' : 'stale', evidence } as const
}

const strengthOf = ({ check }: Entry<Judged>) => strength(check)
