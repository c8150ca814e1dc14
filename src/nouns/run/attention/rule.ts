import { expired } from '../lease.ts'

/** Most urgent first: work that looks done but is not, then work that stopped. */
export const reasons = ['failing', 'failed', 'vanished'] as const
export type Reason = (typeof reasons)[number]

export const states = ['open', 'put-off', 'resolved'] as const

/** After this long, in milliseconds, the end of a run is no news. */
const newsMs = 14 * 86_400_000

/** What the rule looks at in a run. */
export interface Looked {
  status: 'pending' | 'in_progress' | 'completed' | 'failed'
  failureCode: string | undefined
  verdict: 'unchecked' | 'failing' | 'warned' | 'stale' | 'verified'
  /** The verdict in a sentence. */
  why: string | null
  /** Whether an upgrade derived the verdict, by a new rule. That is no news of the work. */
  isRejudged: boolean
  /** Whether its agent is at work. */
  isWorking: boolean
  endedAt: string | null
  /** How its verdict is known. */
  evidence?: Evidenced['evidence']
}

interface Evidenced {
  evidence: 'self' | 'executed' | 'independent' | null
}

/** Why somebody should look at a run; undefined if nobody need. */
export function reasonOf({ status, failureCode, verdict, isRejudged }: Looked): Reason | undefined {
  if (status === 'failed') return failureCode === expired.code ? 'vanished' : 'failed'
  return verdict === 'failing' && !isRejudged ? 'failing' : undefined
}

/** The reasons for which earlier runs of the same task need no attention once this run is as it is. */
export function mendedBy({ status, verdict }: Pick<Looked, 'status' | 'verdict'>): readonly Reason[] {
  if (status !== 'completed' || verdict === 'failing') return []
  return verdict === 'verified' ? reasons : ['failed', 'vanished']
}

/** Whether a verdict makes good an earlier failing one. The author's claim does so only for a claim. */
export const outweighs = (good: Evidenced, failing: Evidenced): boolean =>
  good.evidence !== 'self' || failing.evidence === 'self'

/** Whether a run that needs attention has failed anew, so that what was decided about it no longer holds. */
export function failsAnew(before: Looked | undefined, after: Looked): boolean {
  if (!before) return true
  return (
    reasonOf(before) !== reasonOf(after) ||
    (after.status === 'failed' && before.status !== 'failed') ||
    (after.verdict === 'failing' && (before.verdict !== 'failing' || isSeenNow(before, after)))
  )
}

/** Whether somebody saw what only its author had said before. */
const isSeenNow = (before: Looked, after: Looked): boolean => before.evidence === 'self' && after.evidence !== 'self'

/** Whether a run that needs attention enters the list by a change: not while its agent works, nor long after its end. */
export function enters(before: Looked | undefined, after: Looked, now: string): boolean {
  if (after.isWorking || isOld(after, now)) return false
  return failsAnew(before, after) || before?.isWorking === true
}

const isOld = ({ endedAt }: Looked, now: string) => endedAt !== null && Date.parse(endedAt) < Date.parse(now) - newsMs

/** Since when a run has needed attention that now does: since its end, if that is the news. */
export const sinceOf = (before: Looked | undefined, { status, endedAt }: Looked, now: string): string =>
  endedAt !== null && endedAt < now && before?.status !== status ? endedAt : now

/** What people have decided about a run that needs attention. */
export interface Decision {
  state: (typeof states)[number]
  assignee: string | null
  /** Until when it is put off. */
  until: string | null
  resolvedAt: string | null
  note: string | null
}

export const undecided = { state: 'open', until: null, resolvedAt: null } as const

export interface DecisionInput {
  assignee?: string | null | undefined
  until?: string | null | undefined
  resolved?: boolean | undefined
  note?: string | null | undefined
}

/** The decision after a patch. To put a resolved run off opens it again. */
export function decided(before: Decision, { until, resolved, ...given }: DecisionInput, now: string): Decision {
  const after: Decision = {
    ...before,
    ...(given.assignee !== undefined && { assignee: given.assignee }),
    ...(given.note !== undefined && { note: given.note }),
  }
  const isOpened = (resolved === false && before.state === 'resolved') || (until === null && before.state === 'put-off')
  if (isOpened) Object.assign(after, undecided)
  if (resolved === true && before.state !== 'resolved') {
    Object.assign(after, { state: 'resolved', until: null, resolvedAt: now })
  }
  if (until) Object.assign(after, { state: 'put-off', until, resolvedAt: null })
  return after
}
