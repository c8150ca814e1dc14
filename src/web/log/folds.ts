import type { Group } from './groups.ts'

interface Hidden {
  first: number
  last: number
  /** How many lines are hidden up to its end. */
  sum: number
}

/** Which lines of a log are shown while some groups are folded. Of a folded group only the line that names it is. */
export class Folds {
  private readonly hidden: Hidden[] = []

  /** `folded` in the order of their lines; what is inside of another one adds nothing. */
  constructor(folded: Group[]) {
    let sum = 0
    for (const { start, end = start } of folded) {
      if (end <= start || start < (this.hidden.at(-1)?.last ?? -1)) continue
      sum += end - start
      this.hidden.push({ first: start + 1, last: end, sum })
    }
  }

  /** How many of `count` lines are shown. */
  rows(count: number): number {
    return count - (this.hidden.at(-1)?.sum ?? 0)
  }

  /** The index of the line in a row. */
  lineAt(row: number): number {
    return (
      row + (this.hidden[this.before(({ first, last, sum }) => first - (sum - (last - first + 1)) <= row)]?.sum ?? 0)
    )
  }

  /** The row of a line; of a hidden one, that of the line that names its group. */
  rowOf(line: number): number {
    const at = this.before(({ first }) => first <= line)
    const hidden = this.hidden[at]
    if (!hidden) return line
    return line > hidden.last ? line - hidden.sum : hidden.first - 1 - (this.hidden[at - 1]?.sum ?? 0)
  }

  /** The index of the last part for which `holds` is true, which it is for all before; -1 if there is none. */
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
