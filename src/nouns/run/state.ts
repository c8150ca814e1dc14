import { invalid } from '../../contract/error.ts'
import { shifted } from '../../contract/span.ts'
import type { StateOf } from '../../contract/stored.ts'
import { latestBy } from '../../engine/drift.ts'
import { titleOf } from '../../text/title.ts'
import type { RunInput, RunStatus, runFields } from './fields.ts'
import { isOtherWork } from './verdict/verdict.ts'

export const statuses = ['pending', 'in_progress', 'completed', 'failed'] as const

/** The verdicts on a run. */
export const verdicts = ['unchecked', 'failing', 'warned', 'stale', 'verified'] as const

/** The fields of a run that a change can set. Content is handled separately. */
export type RunState = StateOf<typeof runFields>

const ended = (status: RunStatus) => status === 'completed' || status === 'failed'

/**
 * The state of a run after `patch` at `now`. A change without a time of its own happens at `at`, which is not `now` for
 * imports. Any status may follow any other. A start far in the future moves to `at`. A run that ends again without having
 * been reopened keeps its first end. Throws VALIDATION_ERROR if the patch gives a failure to a run that has not failed, or
 * impossible times.
 */
export function change(before: RunState, patch: RunInput, now: string, at = now): RunState {
  const { content, ...given } = patch
  const after: RunState = { ...before, ...definedOf(given) }
  if (after.status !== 'failed') {
    if (patch.failure) throw invalid('failure', `is only for status 'failed', not '${after.status}'`)
    after.failure = null
  }
  // It is stored field by field, so usage without fields is no usage.
  if (after.usage && Object.keys(after.usage).length === 0) after.usage = null
  if (after.title === null && content !== undefined) after.title = titleOf(content)
  if (isTooLate(before, now)) after.startedAt = patch.startedAt ?? null
  if (after.status !== 'pending') after.startedAt ??= earlier(at, after.endedAt)
  requireTimes(patch, after, now)
  if (!ended(after.status)) after.endedAt = null
  else after.endedAt ??= later(at, after.startedAt)
  return after
}

/** Whether a run that has not ended started far in the future, because the clock was ahead then. */
export const isTooLate = ({ startedAt, endedAt }: Pick<RunState, 'startedAt' | 'endedAt'>, now: string) =>
  startedAt !== null && endedAt === null && startedAt > latestBy(now)

/** The earlier of two times. */
export const earlier = (one: string, other: string | null) => (other !== null && other < one ? other : one)
/** The later of two times. */
export const later = (one: string, other: string | null) => (other !== null && other > one ? other : one)

/** How far a recorder's clock may be ahead, in milliseconds. */
const aheadMs = 5 * 60_000

/** Throws VALIDATION_ERROR for a time in the future, by the server's clock. */
export function requirePast(given: Pick<RunInput, 'startedAt' | 'endedAt'>, now: string): void {
  const latest = shifted(now, aheadMs)
  for (const field of ['startedAt', 'endedAt'] as const) {
    const at = given[field]
    if (at !== undefined && at > latest) {
      throw invalid(field, `must not be more than 5 minutes ahead of the server, where it is ${now}, and is ${at}`)
    }
  }
}

/** Throws VALIDATION_ERROR for a time in the future, an end before the start, and an end of a run in progress. */
function requireTimes(patch: RunInput, { status, startedAt, endedAt }: RunState, now: string): void {
  requirePast(patch, now)
  if (patch.startedAt !== undefined && status === 'pending') {
    throw invalid('startedAt', "is only for a run that has started, and this one is 'pending'")
  }
  if (patch.endedAt !== undefined && !ended(status)) {
    throw invalid('endedAt', `is only for a status that ends the run, not '${status}'`)
  }
  if (!ended(status) || startedAt === null || endedAt === null || endedAt >= startedAt) return
  const field = patch.endedAt === undefined ? 'startedAt' : 'endedAt'
  throw invalid(field, `must not put the end, ${endedAt}, before the start, ${startedAt}`)
}

export function definedOf<T extends object>(value: T) {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined))
}

/** Whether a change makes the work a different one for checks without a known tree or commit. */
export function isWork(before: RunState, after: RunState, contentReplaced: boolean): boolean {
  return (
    contentReplaced ||
    isOtherWork(before.git ?? {}, after.git ?? {}) ||
    before.specId !== after.specId ||
    (ended(before.status) && !ended(after.status))
  )
}
