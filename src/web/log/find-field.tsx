import { useEffect, useMemo, useState } from 'preact/hooks'
import { useSettled } from '../ui/settled.ts'
import type { Lines } from './lines.ts'

const typingMs = 150

interface Props {
  lines: Lines
  /** Changes when lines are added. */
  size: number
  onFound: (index: number) => void
}

/** Finds words in a log. Enter goes to the next matching line, Shift+Enter to the previous one. */
export function FindField({ lines, size, onFound }: Props) {
  const [words, setWords] = useState('')
  const wanted = useSettled(words, typingMs)
  const [at, setAt] = useState(0)
  const found = useMemo(() => (wanted === '' ? [] : lines.find(wanted)), [lines, size, wanted])
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
