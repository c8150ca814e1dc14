import { useEffect, useRef, useState } from 'preact/hooks'
import type { Growing } from '../data/growing.ts'
import { Lines } from './lines.ts'

/** How many characters to split before the next frame. */
const mostPerFrame = 500_000

/** The lines of a text. After an append, only the new pieces are split; a long text takes several frames. */
export function useLines(text: Growing): Lines {
  const kept = useRef<{ text: Growing; lines: Lines; taken: number }>(undefined)
  if (kept.current?.text !== text) kept.current = { text, lines: new Lines(), taken: 0 }
  const { current } = kept
  for (let room = mostPerFrame; room > 0 && current.taken < text.pieces.length; current.taken++) {
    const piece = text.pieces[current.taken] ?? ''
    current.lines.append(piece)
    room -= piece.length
  }
  const [, draw] = useState(0)
  useEffect(() => {
    if (current.taken === text.pieces.length) return
    const frame = requestAnimationFrame(() => draw((times) => times + 1))
    return () => cancelAnimationFrame(frame)
  })
  return current.lines
}
