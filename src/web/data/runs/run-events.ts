import { isActivity } from '../../../contract/event-type.ts'
import type { Event } from '../../../log/fields.ts'
import type { Run } from '../../../nouns/run/fields.ts'

/** Whether an event appended text to a run's content without replacing any. */
export const isAppend = (event: Event) => event.changes.content !== undefined && !isReplaced(event)

/**
 * Whether an event replaced the content of a run. The log has a hash only for content that was set as a whole; an append
 * has the new size.
 */
export function isReplaced({ changes }: Event): boolean {
  const after = changes.content?.[1]
  return changes.content !== undefined && !(after instanceof Object && !('sha256' in after))
}

/** The size of a content that an event names, in bytes. */
export const bytesIn = (content: unknown) =>
  content instanceof Object && 'bytes' in content ? Number(content.bytes) : 0

/** Whether an event is about a turn of that run. */
export const isTurnOf = (event: { project: string | null; subject: string }, project: string, runId: string) =>
  event.project === project && event.subject.startsWith(`${runId}/`)

/** The runs after an event, which contains everything that changed. */
export function moved(runs: Run[], { type, subjectId, changes, at }: Event): Run[] {
  if (!type.startsWith('run.') || isActivity(type)) return runs
  if (type === 'run.deleted') return runs.filter(({ id }) => id !== subjectId)
  const fields = Object.fromEntries(Object.entries(changes).map(([field, [, value]]) => [field, value]))
  return runs.map((run) => (run.id === subjectId && run.updatedAt <= at ? { ...run, ...fields, updatedAt: at } : run))
}

/** The runs just read; those that are as before are the same objects, so that they need not be drawn again. */
export function keptRuns(before: Run[], read: Run[]): Run[] {
  const known = new Map(before.map((run) => [run.id, run]))
  return read.map((run) => {
    const was = known.get(run.id)
    return was && JSON.stringify(was) === JSON.stringify(run) ? was : run
  })
}

type RunTimes = Pick<Run, 'endedAt' | 'createdAt'>

/** When a run ended; when it was created, if it has not. */
export const endOf = (run: RunTimes): string => run.endedAt ?? run.createdAt

/** Sorts the newest end first. Runs that ended at the same time keep their order. */
export const byEnd = (a: RunTimes, b: RunTimes): number => Date.parse(endOf(b)) - Date.parse(endOf(a))
