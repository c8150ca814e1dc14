import CliTable from 'cli-table3'

/** The number of terminal columns that a text takes. East Asian characters and emoji take two. */
const double =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Extended_Pictographic}]/gu
export const widthOf = (text: string) => [...text].length + (text.match(double)?.length ?? 0)

const gap = 2
const borders = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
]
const chars = { ...Object.fromEntries(borders.map((border) => [border, ''])), middle: ' '.repeat(gap) }

/**
 * Fits columns of those natural widths into `room` terminal columns. The columns at `wide` shrink first, the others
 * only if that is not enough, and the one at `id` last.
 */
export function fitted(natural: number[], wide: ReadonlySet<number>, room: number, id?: number): number[] {
  const widths = [...natural]
  const total = () => widths.reduce((sum, width) => sum + width + gap, -gap)
  const widest = (least: number, among: (index: number) => boolean) =>
    widths.reduce(
      (best, width, index) =>
        among(index) && width > least && (best < 0 || width > (widths[best] as number)) ? index : best,
      -1,
    )
  for (let over = total() - room; over > 0; over--) {
    const order = [widest(12, (at) => wide.has(at)), widest(2, (at) => at !== id), widest(4, () => true)]
    const index = order.find((at) => at >= 0)
    if (index === undefined) break
    ;(widths[index] as number)--
  }
  return widths
}

/** Rows of cells in columns of those widths, without borders. Longer cells are cut. */
export function laidOut(rows: string[][], widths: number[]): string {
  const table = new CliTable({
    chars,
    colWidths: widths,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  })
  table.push(...rows)
  return table
    .toString()
    .split('\n')
    .map((text) => text.trimEnd())
    .join('\n')
}
