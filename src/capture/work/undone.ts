import { type Sides, sidesBetween } from '../../place/git/diff.ts'
import { openedAt } from '../../place/git/history.ts'
import { defined } from '../../recorder/agents/fields.ts'
import type { SessionWork } from '../../recorder/facts.ts'
import type { Memo, Undone } from '../../recorder/memo.ts'
import type { Snapshot } from '../../recorder/work.ts'
import { attempt } from './by-command.ts'

/** The working tree before the run, after the turn, and, as a tree, before the turn. */
export interface UndoneSpan {
  base: Snapshot | undefined
  end: Snapshot | undefined
  before: string | undefined
}

/** Files that are no longer changed, as the session had left them before the turn. */
export function undoneNow(paths: string[], { base, end, before }: UndoneSpan): Undone[] {
  if (paths.length === 0 || !base || !end || before === undefined) return paths.map((path) => ({ path }))
  const left = filesIn(base, { ...end, tree: before })
  return paths.map((path) => defined({ path, left: left(path) }))
}

/** The files of the session without those that it had undone before the turn, and not changed since. */
export function ownIn(
  { undone: before = [] }: Memo,
  { own = [], undone = [] }: Pick<SessionWork, 'own' | 'undone'>,
): string[] {
  const wasUndone = new Set(before.map(({ path }) => path))
  const isUndone = new Set(undone.flatMap(({ path }) => (wasUndone.has(path) ? path : [])))
  return own.filter((path) => !isUndone.has(path))
}

/** What files are that differ between two trees: their modes and ids, or 'gone'. */
export function filesIn(base: Snapshot, end: Snapshot): (path: string) => string | undefined {
  const sides = attempt(() => sidesBetween(openedAt(end), base.tree, end.tree), new Map<string, Sides>())
  return (path) => {
    const file = sides.get(path)
    return file && (file.after ?? 'gone')
  }
}
