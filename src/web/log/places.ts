import { useRef } from 'preact/hooks'
import type { Growing } from '../data/runs/growing.ts'

const bytesOf = (text: string) => (/^\p{ASCII}*$/u.test(text) ? text.length : new TextEncoder().encode(text).length)

/** Where the lines of a text begin in its content, in bytes. */
export class Places {
  private readonly starts: (number | undefined)[] = []
  private taken = 0
  private isInLine = false

  /** Where a line begins; undefined for a gap, and if nobody knows. */
  of(index: number): number | undefined {
    return this.starts[index]
  }

  /** Takes the pieces that were added to the text. */
  readOn({ pieces, holes, ends }: Growing): void {
    for (; this.taken < pieces.length; this.taken++) {
      const piece = pieces[this.taken] ?? ''
      if (holes.has(this.taken)) this.addGap()
      else this.add(piece, ends.get(this.taken))
    }
  }

  private addGap() {
    this.starts.push(undefined)
    this.isInLine = false
  }

  private add(piece: string, end: number | undefined) {
    let at = end === undefined ? undefined : end - bytesOf(piece)
    const lines = piece.split('\n')
    for (const [index, line] of lines.entries()) {
      const isLast = index === lines.length - 1
      if (!this.isInLine && !(isLast && line === '')) this.starts.push(at)
      this.isInLine = isLast && (this.isInLine || line !== '')
      if (at !== undefined) at += bytesOf(line) + 1
    }
  }
}

/** The places of the lines of a text; nothing unless they are wanted. After an append, only what it added is read. */
export function usePlaces(text: Growing, isWanted: boolean): Places | undefined {
  const kept = useRef<{ text: Growing; places: Places }>(undefined)
  if (!isWanted) return undefined
  if (kept.current?.text !== text) kept.current = { text, places: new Places() }
  kept.current.places.readOn(text)
  return kept.current.places
}
