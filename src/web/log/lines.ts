import { useEffect, useRef, useState } from 'preact/hooks'
import type { Growing, Hole } from '../data/runs/growing.ts'
import { Groups, isError } from './groups.ts'
import { Numbers } from './numbers.ts'

const esc = String.fromCharCode(27)
const bell = String.fromCharCode(7)
/** Colours and decorations: the only escape sequences that a log shows. */
const colours = new RegExp(`${esc}\\[([\\d;]*)m`, 'g')
/** Every other escape sequence: cursor movements, window titles, links, and a lone escape. */
const others = new RegExp(
  `${esc}(?:\\[(?![\\d;]*m)[0-?]*[ -/]*[@-~]|\\][^${bell}${esc}]*(?:${bell}|${esc}\\\\)?|[^\\[\\]]|\\[(?![\\d;]*m)|$)`,
  'g',
)
/** Colours beyond this length are not carried to the next line: a log that never resets them must not slow each line. */
const longestCarry = 200
/** A longer line is cut when it is drawn. In characters. */
export const longestLine = 4000

/** The lines of a terminal's output, which grow by appending. */
export class LogLines {
  /** Its foldable parts. */
  readonly groups = new Groups()
  /** The numbers of its lines. */
  readonly numbers = new Numbers()
  private readonly texts: string[] = []
  /** The colours that are active at the start of a line, only for lines that have any. */
  private readonly carried = new Map<number, string>()
  private carry = ''
  private rest = ''

  get count(): number {
    return this.texts.length + (this.rest === '' ? 0 : 1)
  }

  /** How many lines have ended. The one after them may still grow. */
  get ended(): number {
    return this.texts.length
  }

  append(text: string): void {
    const lines = text.split('\n')
    lines[0] = this.rest + lines[0]
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.end(line)
  }

  /** Appends a gap, as a line without text and number. */
  appendHole(hole: Hole): void {
    if (this.rest !== '') this.append('\n')
    this.carry = ''
    this.numbers.addHole(this.texts.length, hole)
    this.end('')
  }

  /** A line with its colours, as far as it is drawn. `index` starts at 0. */
  coloured(index: number): string {
    return (this.carried.get(index) ?? '') + beginningOf(shown(this.raw(index)).replace(others, ''))
  }

  /** A line without any escape sequence. */
  plain(index: number): string {
    return plainOf(shown(this.raw(index)))
  }

  /** The indexes of the lines from `first` on that contain `words`, in any case. */
  find(words: string, first = 0): number[] {
    const wanted = words.toLowerCase()
    const found: number[] = []
    for (let index = first; index < this.count; index++) {
      if (this.plain(index).toLowerCase().includes(wanted)) found.push(index)
    }
    return found
  }

  /** The index of the first line that reports an error; -1 if none does. */
  firstError(): number {
    for (let index = 0; index < this.count; index++) if (isError(this.plain(index))) return index
    return -1
  }

  /** A line as it came. */
  raw(index: number): string {
    return index < this.texts.length ? (this.texts[index] ?? '') : this.rest
  }

  private end(line: string): void {
    this.groups.add(this.texts.length, line, (marked) => plainOf(shown(marked)))
    this.texts.push(line)
    if (line.includes(esc)) {
      for (const [sequence, codes = ''] of line.matchAll(colours)) {
        const carry = /^0*$/.test(codes) ? '' : this.carry + sequence
        this.carry = carry.length > longestCarry ? '' : carry
      }
    }
    if (this.carry !== '') this.carried.set(this.texts.length, this.carry)
  }
}

/** The visible text of a line: a carriage return starts it again, as progress bars do. */
function shown(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  return text.slice(text.lastIndexOf('\r') + 1)
}

/** The part of a line that is drawn, with its colours, which do not count as characters. */
function beginningOf(line: string): string {
  let end = longestLine
  for (const { 0: sequence, index } of line.matchAll(colours)) {
    if (index >= end) break
    end += sequence.length
  }
  return line.slice(0, end)
}

/** `text` without escape sequences. */
export const plainOf = (text: string) => (text.includes(esc) ? text.replace(others, '').replace(colours, '') : text)

/** How many characters to split before the next frame. */
const mostPerFrame = 500_000

/** The lines of a text. After an append, only the new pieces are split; a long text takes several frames. */
export function useLines(text: Growing): LogLines {
  const kept = useRef<{ text: Growing; lines: LogLines; taken: number; room: number }>(undefined)
  if (kept.current?.text !== text) kept.current = { text, lines: new LogLines(), taken: 0, room: mostPerFrame }
  const { current } = kept
  for (; current.room > 0 && current.taken < text.pieces.length; current.taken++) {
    const piece = text.pieces[current.taken] ?? ''
    const hole = text.holes.get(current.taken)
    if (hole) current.lines.appendHole(hole)
    else current.lines.append(piece)
    current.room -= piece.length
  }
  const [, draw] = useState(0)
  useEffect(() => {
    if (current.room === mostPerFrame) return
    // Pieces may arrive, and be drawn, several times before a frame.
    const frame = requestAnimationFrame(() => {
      current.room = mostPerFrame
      if (current.taken < text.pieces.length) draw((times) => times + 1)
    })
    return () => cancelAnimationFrame(frame)
  })
  return current.lines
}
