import type { Hole } from '../data/runs/growing.ts'

/** Lines that follow each other without a gap. */
interface Stretch {
  /** The index of the first one. */
  index: number
  /** Its number; undefined if nobody counted the lines before it. */
  number: number | undefined
  /** The gap on the line before it. */
  hole: Hole | undefined
}

/** The numbers that the lines of a log had when it was written. After a gap they go on with those that follow it. */
export class Numbers {
  private readonly stretches: Stretch[] = [{ index: 0, number: 1, hole: undefined }]

  /** Adds a gap, which has the line `index` to itself. */
  addHole(index: number, hole: Hole): void {
    const { line, lines } = hole
    const number = line === undefined || lines === null ? undefined : line + lines
    this.stretches.push({ index: index + 1, number, hole })
  }

  /** The gap on a line. */
  holeAt(index: number): Hole | undefined {
    return this.stretches.find((one) => one.hole && one.index === index + 1)?.hole
  }

  /** The number of a line; undefined for a gap, and where lines were not counted. */
  of(index: number): number | undefined {
    if (this.holeAt(index)) return undefined
    const { index: first, number } = this.stretches.findLast((one) => one.index <= index) as Stretch
    return number === undefined ? undefined : number + index - first
  }

  /** The index of a line. Of a missing one, the index of its gap. */
  indexOf(number: number): number {
    const at = this.stretches.findLastIndex((one) => one.number !== undefined && one.number <= number)
    const { index, number: first = 1 } = this.stretches[Math.max(0, at)] as Stretch
    const gap = this.stretches[at + 1]
    return Math.min(index + number - first, gap ? gap.index - 1 : Number.POSITIVE_INFINITY)
  }
}

/** What is missing in a gap, in words. */
export function missingWords({ bytes, lines, line }: Hole): string {
  const size = `${bytes.toLocaleString('en')} bytes`
  if (lines === null) return size
  const count = `${size} in ${lines.toLocaleString('en')} ${lines === 1 ? 'line' : 'lines'}`
  if (line === undefined) return count
  const [first, last] = [line, line + Math.max(0, lines - 1)].map((number) => number.toLocaleString('en'))
  return first === last ? `${size} of line ${first}` : `${size}: lines ${first} to ${last}`
}
