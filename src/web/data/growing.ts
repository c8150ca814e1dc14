/** A text that grows. Its pieces are joined only where the whole is needed, so an append costs only what it adds. */
export class Growing {
  readonly pieces: string[] = []
  /** In characters. */
  length = 0

  constructor(text = '') {
    this.append(text)
  }

  append(piece: string): void {
    if (piece === '') return
    this.pieces.push(piece)
    this.length += piece.length
  }

  toString(): string {
    return this.pieces.join('')
  }
}
