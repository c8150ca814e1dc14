import type { Found } from '../../../find/fields.ts'

/** Where the page of its run shows a hit: a turn, or a file among the changes of a turn. */
export function placeOf({ type, subject, title }: Pick<Found, 'type' | 'subject' | 'title'>) {
  const turn = type === 'turn' || type === 'diff' ? subject.split('/')[1] : undefined
  return type === 'diff' ? { view: 'changes', turn, file: title ?? undefined } : { turn }
}
