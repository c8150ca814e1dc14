import { useEffect, useRef, useState } from 'preact/hooks'
import { useSettled } from '../ui/search-field.tsx'
import type { Lines } from './lines.ts'

const typingMs = 150

interface Props {
  lines: Lines
  onFound: (index: number) => void
}

/** Finds words in a log. Enter goes to the next matching line, Shift+Enter to the previous one. */
export function FindField({ lines, onFound }: Props) {
  const [words, setWords] = useState('')
  const wanted = useSettled(words, typingMs)
  const [at, setAt] = useState(0)
  const found = useFound(lines, wanted)
  const show = (next: number) => {
    const index = found.at(next % Math.max(1, found.length))
    if (index === undefined) return
    setAt(found.indexOf(index))
    onFound(index)
  }
  useEffect(() => show(0), [wanted])
  return (
    <search class="find">
      <label>
        <span class="unseen">Find in the log</span>
        <input
          type="search"
          placeholder="Find in the log"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
          onKeyDown={({ key, shiftKey }) => key === 'Enter' && show(at + (shiftKey ? -1 : 1))}
        />
      </label>
      <span class="muted small" role="status">
        {wanted !== '' && (found.length === 0 ? 'No match' : `${at + 1} of ${found.length.toLocaleString('en')}`)}
      </span>
    </search>
  )
}

/** The indexes of the lines with these words. After an append, only the new lines are searched. */
function useFound(lines: Lines, words: string): number[] {
  const kept = useRef<{ lines: Lines; words: string; found: number[]; searched: number }>(undefined)
  if (kept.current?.lines !== lines || kept.current.words !== words) {
    kept.current = { lines, words, found: [], searched: 0 }
  }
  const { current } = kept
  if (words === '') return current.found
  // The last line may have grown since.
  if (current.found.at(-1) === current.searched) current.found.pop()
  for (const index of lines.find(words, current.searched)) current.found.push(index)
  current.searched = lines.ended
  return current.found
}
