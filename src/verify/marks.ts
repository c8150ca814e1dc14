import type { Changes } from '../log/event.ts'
import type { Leaf } from '../log/seal/routes.ts'

/** How many runs to remember whose turn was recorded, and whose change by it was not yet. */
const most = 10_000

/**
 * Checks which events are marked as appends, which lists and timelines leave out and count. The seal does not cover the
 * marks, but they follow from the events.
 */
export class Marks {
  /** The runs whose next change is that of a turn. */
  readonly #turned = new Set<string>()
  /** The runs that early events are about. */
  readonly #early = new Set<string>()

  /**
   * Whether an event is marked as it must be. Takes them in their order. For an early one, the turn that made it may have
   * been dropped.
   */
  isRight({ type, subject, projectId, isAppend }: Leaf, changes: Changes, isEarly: boolean): boolean {
    const run = `${projectId} ${subject}`
    if (type === 'turn.created') this.#note(run.slice(0, run.lastIndexOf('/')))
    const mayBeTurn = isEarly && !this.#early.has(run)
    if (isEarly) this.#early.add(run)
    const isTurn = type === 'run.updated' && this.#turned.delete(run)
    if (isAppend === undefined) return true
    if (isAppend !== 0 && isAppend !== 1) return false
    if (type !== 'run.updated') return isAppend === 0
    if (isTurn) return (isAppend === 1) === !(changes.status || changes.verdict)
    const mark = markOf(changes)
    return mark === undefined || isAppend === mark || (mayBeTurn && isAppend === 1)
  }

  #note(run: string): void {
    this.#turned.add(run)
    const [oldest] = this.#turned
    if (this.#turned.size > most && oldest !== undefined) this.#turned.delete(oldest)
  }
}

/** The mark of a change of a run that no turn made; undefined for one of version 0.1, which may have either. */
function markOf({ content, ...others }: Changes): 0 | 1 | undefined {
  if (!content || Object.keys(others).length > 0) return 0
  const after = content[1] as { appended?: unknown; sha256?: unknown } | null
  if (after?.appended !== undefined) return 1
  return after?.sha256 === undefined ? undefined : 0
}
