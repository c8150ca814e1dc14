import { useMemo, useState } from 'preact/hooks'
import { Folds } from './folds.ts'
import type { Group } from './groups.ts'
import type { Lines } from './lines.ts'

export interface Folding {
  folds: Folds
  isFolded(group: Group): boolean
  toggle(group: Group): void
  /** Unfolds the groups around a line. */
  reveal(index: number): void
  setAll(isFolded: boolean): void
}

/** Which groups of a log are folded: as their marks say, until the person changes it. An open group, or one with an error, is not folded by its mark. */
export function useFolds(lines: Lines): Folding {
  const [all, setAll] = useState<boolean>()
  const [chosen, setChosen] = useState(new Map<number, boolean>())
  const { groups } = lines
  const isFolded = (group: Group) =>
    group.end !== undefined && (chosen.get(group.start) ?? all ?? (group.isFolded && group.errors === 0))
  const folds = useMemo(() => new Folds(groups.all.filter(isFolded)), [groups, lines.count, chosen, all])
  return {
    folds,
    isFolded,
    toggle: (group) => setChosen(new Map(chosen).set(group.start, !isFolded(group))),
    reveal: (index) => {
      const around = groups.all.filter((group) => group.start < index && index <= (group.end ?? -1) && isFolded(group))
      if (around.length === 0) return
      setChosen(new Map([...chosen, ...around.map(({ start }) => [start, false] as const)]))
    },
    setAll: (isFolded) => {
      setAll(isFolded)
      setChosen(new Map())
    },
  }
}
