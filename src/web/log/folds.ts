import { useMemo, useState } from 'preact/hooks'
import type { LogGroup } from './groups.ts'
import type { LogLines } from './lines.ts'

interface Hidden {
  first: number
  last: number
  /** How many lines are hidden up to the end of this part. */
  sum: number
}

/** Which lines of a log are visible while some groups are folded. Of a folded group, only the line with its name is. */
export class Folds {
  private readonly hidden: Hidden[] = []

  /** `folded` is in the order of lines. A group inside another one adds nothing. */
  constructor(folded: LogGroup[]) {
    let sum = 0
    for (const { start, end = start } of folded) {
      if (end <= start || start < (this.hidden.at(-1)?.last ?? -1)) continue
      sum += end - start
      this.hidden.push({ first: start + 1, last: end, sum })
    }
  }

  /** How many of `count` lines are visible. */
  rows(count: number): number {
    return count - (this.hidden.at(-1)?.sum ?? 0)
  }

  /** The index of the line in a row. */
  lineAt(row: number): number {
    return (
      row + (this.hidden[this.before(({ first, last, sum }) => first - (sum - (last - first + 1)) <= row)]?.sum ?? 0)
    )
  }

  /** The row of a line. For a hidden line, the row with the name of its group. */
  rowOf(line: number): number {
    const at = this.before(({ first }) => first <= line)
    const hidden = this.hidden[at]
    if (!hidden) return line
    return line > hidden.last ? line - hidden.sum : hidden.first - 1 - (this.hidden[at - 1]?.sum ?? 0)
  }

  /**
   * The index of the last part for which `holds` is true, given that it is true for all parts before; -1 if there is
   * none.
   */
  private before(holds: (hidden: Hidden) => boolean): number {
    let low = 0
    let high = this.hidden.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (holds(this.hidden[middle] as Hidden)) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

export interface Folding {
  folds: Folds
  isFolded(group: LogGroup): boolean
  toggle(group: LogGroup): void
  /** Unfolds the groups around a line. */
  reveal(index: number): void
  setAll(isFolded: boolean): void
}

/** Which groups of a log are folded: as their marks say, until the person changes it. An open group, or one with an error, is not folded by its mark. */
export function useFolds(lines: LogLines): Folding {
  const [all, setAll] = useState<boolean>()
  const [chosen, setChosen] = useState(new Map<number, boolean>())
  const { groups } = lines
  const isFolded = (group: LogGroup) =>
    group.end !== undefined && (chosen.get(group.start) ?? all ?? (group.isFolded && group.errors === 0))
  const folds = useMemo(() => new Folds(groups.all.filter(isFolded)), [groups, lines.count, lines.ended, chosen, all])
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
