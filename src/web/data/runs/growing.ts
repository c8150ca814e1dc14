import type { Gap } from '../../../text/content.ts'

/** A gap in a text, and the number of the line in which it begins; undefined if nobody counted the lines before it. */
export interface Hole extends Gap {
  line: number | undefined
}

/** A text that grows. Its pieces are joined only where the whole is needed, so an append costs only what it adds. */
export class Growing {
  readonly pieces: string[] = []
  /** The pieces that are lines about a gap, by their index. */
  readonly holes = new Map<number, Hole>()
  /** Where pieces end in the content, in bytes, by their index. */
  readonly ends = new Map<number, number>()
  /** In characters. */
  length = 0
  /** The number of the line at its end; undefined after a gap whose lines nobody counted. */
  private line: number | undefined = 1

  constructor(text = '') {
    this.append(text)
  }

  append(piece: string, end?: number): void {
    if (piece === '') return
    if (end !== undefined) this.ends.set(this.pieces.length, end)
    this.push(piece)
    if (this.line !== undefined) this.line += piece.match(/\n/g)?.length ?? 0
  }

  /** Appends the line about a gap. */
  appendGap(line: string, { bytes, lines }: Gap): void {
    this.holes.set(this.pieces.length, { bytes, lines, line: this.line })
    this.push(line)
    this.line = lines === null || this.line === undefined ? undefined : this.line + lines
  }

  toString(): string {
    return this.pieces.join('')
  }

  private push(piece: string) {
    this.pieces.push(piece)
    this.length += piece.length
  }
}
