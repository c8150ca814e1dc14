import type { Event } from '../../log/fields.ts'

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
