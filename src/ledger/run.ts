import { invalid } from '../api/error.ts'
import type { Run, RunFields, RunStatus } from '../api/run.ts'
import { titleOf } from './title.ts'

export const statuses = ['pending', 'in_progress', 'completed', 'failed'] as const

/** What the checks of a run come to. */
export const verdicts = ['unchecked', 'failing', 'warned', 'stale', 'verified'] as const

/** What a change of a run moves; content is carried beside it. */
export type RunState = Pick<
  Run,
  | 'title'
  | 'specId'
  | 'status'
  | 'agent'
  | 'labels'
  | 'where'
  | 'git'
  | 'changes'
  | 'links'
  | 'usage'
  | 'failure'
  | 'startedAt'
  | 'endedAt'
>

export const emptyRun: RunState = {
  title: null,
  specId: null,
  status: 'pending',
  agent: null,
  labels: {},
  where: null,
  git: null,
  changes: null,
  links: [],
  usage: null,
  failure: null,
  startedAt: null,
  endedAt: null,
}

const ended = (status: RunStatus) => status === 'completed' || status === 'failed'

/**
 * The state of a run after `patch`, at the moment `now`. Any status may follow any; a run that ends for the second time
 * without having been reopened keeps its first end. Throws VALIDATION_ERROR when the patch gives a failure to a run
 * that has not failed.
 */
export function change(before: RunState, patch: RunFields, now: string): RunState {
  const { content, ...given } = patch
  const after: RunState = { ...before, ...definedOf(given) }
  if (after.status !== 'failed') {
    if (patch.failure) throw invalid('failure', `stands only with status 'failed', and the status is '${after.status}'`)
    after.failure = null
  }
  if (after.title === null && content !== undefined) after.title = titleOf(content)
  if (after.status !== 'pending') after.startedAt ??= now
  after.endedAt = ended(after.status) ? (before.endedAt ?? now) : null
  return after
}

function definedOf<T extends object>(value: T) {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined))
}

/** Whether going from `before` to `after` makes what was checked a different piece of work. */
export function isWork(before: RunState, after: RunState, contentReplaced: boolean): boolean {
  return (
    contentReplaced ||
    before.git?.commit !== after.git?.commit ||
    before.specId !== after.specId ||
    (ended(before.status) && !ended(after.status))
  )
}
