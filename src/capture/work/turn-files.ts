import { isDeepStrictEqual } from 'node:util'
import { type Changed, changedFiles } from '../../place/git/diff.ts'
import type { Guarded } from '../../place/git/guarded.ts'
import { pathOf } from '../../recorder/agents/turn.ts'
import type { TurnTrees } from '../../recorder/memo.ts'

/** A file of which a turn has a diff. */
export interface TurnFile {
  path: string
  /** What the turn changed. */
  change?: Changed
  /** What the run has changed by then, if that is something else; null: nothing. */
  whole?: Changed | null
}

/**
 * The files that the session wrote in a turn, and those of which its run has now changed something else than before: a
 * file that it moved, or that somebody restored.
 */
export function turnFiles(at: Guarded, { base, before, after, written, own }: TurnTrees): TurnFile[] {
  const turn = amongThese(changedFiles(at, before, after), written)
  const whole = base === before ? turn : amongThese(changedFiles(at, base, after), own)
  const earlier = base === before ? new Map<string, Changed>() : amongThese(changedFiles(at, base, before), own)
  const moved = own.filter((path) => !turn.has(path) && !isDeepStrictEqual(earlier.get(path), whole.get(path)))
  return [...[...turn.keys()].sort(), ...moved.sort()].map((path) => {
    const [change, all] = [turn.get(path), whole.get(path)]
    if (!change) return { path, whole: all ?? null }
    return { path, change, ...(!isDeepStrictEqual(change, all) && { whole: all ?? null }) }
  })
}

/** The changes of these files. Of a renamed file with one of its two paths among them, only that one is new, or gone. */
function amongThese(changed: Changed[], paths: readonly string[]): Map<string, Changed> {
  const isOne = new Set(paths.filter((path) => pathOf(path) !== undefined))
  const found = new Map<string, Changed>()
  for (const { from, ...one } of changed) {
    const { path, before, after } = one
    if (from === undefined ? isOne.has(path) : isOne.has(path) && isOne.has(from)) {
      found.set(path, { ...one, ...(from !== undefined && { from }) })
    } else if (from !== undefined && isOne.has(path) && after) found.set(path, { path, after })
    else if (from !== undefined && isOne.has(from) && before) found.set(from, { path: from, before })
  }
  return found
}
