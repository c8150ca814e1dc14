import { useEffect, useRef, useState } from 'preact/hooks'
import type { Growing } from '../data/runs/growing.ts'
import { Lines } from './lines.ts'

/** How many characters to split before the next frame. */
const mostPerFrame = 500_000

/** The lines of a text. After an append, only the new pieces are split; a long text takes several frames. */
export function useLines(text: Growing): Lines {
  const kept = useRef<{ text: Growing; lines: Lines; taken: number; room: number }>(undefined)
  if (kept.current?.text !== text) kept.current = { text, lines: new Lines(), taken: 0, room: mostPerFrame }
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
