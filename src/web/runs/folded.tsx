import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

/** Longer prompts and answers are folded. */
const longest = { characters: 1200, lines: 16 }

const startOf = (text: string) => text.split('\n', longest.lines).join('\n').slice(0, longest.characters)

/** A text. A long one is folded to its beginning. */
export function Folded({ text, children }: { text: string; children: (text: string) => ComponentChildren }) {
  const [isOpen, setOpen] = useState(false)
  const start = startOf(text)
  if (start === text) return <>{children(text)}</>
  return (
    <>
      {children(isOpen ? text : `${start}…`)}
      <button type="button" class="plain fold" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? 'Show less' : 'Show all'}
      </button>
    </>
  )
}
