import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { goQuery, type Route } from '../app/router.ts'
import { Icon } from './icon.tsx'

/** A search field whose text becomes `q` in the address. The key `/` leads to it (`app/frame.tsx`). */
export function SearchField({ route, label }: { route: Route; label: string }) {
  const [text, setText] = useWords(route)
  return (
    <label class="search">
      <Icon name="search" />
      <span class="unseen">{label}</span>
      <input
        type="search"
        placeholder={label}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && leave(event.currentTarget)}
      />
      <kbd>/</kbd>
    </label>
  )
}

/** Moves the focus to the first row of the list that the field searches. */
function leave(field: HTMLElement) {
  field.blur()
  document.querySelector<HTMLElement>('main a.title')?.focus()
}

const typingMs = 250

/**
 * The typed words. The hook puts them into the address after a pause in typing, and takes them from the address when
 * something else changes it. Letters typed in between stay.
 */
function useWords(route: Route): [text: string, setText: (text: string) => void] {
  const asked = route.query.get('q') ?? ''
  const [text, setText] = useState(asked)
  const latest = useRef(route)
  latest.current = route
  /** The words that the address has, as far as this field knows. */
  const known = useRef(asked)
  useLayoutEffect(() => {
    if (asked !== known.current) setText(asked)
    known.current = asked
  }, [asked])
  // A layout effect, so that leaving the page stops the timer before it can bring the old address back.
  useLayoutEffect(() => {
    if (text === known.current) return
    const timer = setTimeout(() => {
      // Only the first letter adds a step to the history; the others replace it.
      const replace = known.current !== ''
      known.current = text
      goQuery(latest.current, { q: text }, { replace })
    }, typingMs)
    return () => clearTimeout(timer)
  }, [text])
  return [text, setText]
}

/** The text once nobody has typed for `restMs`. */
export function useSettled(text: string, restMs: number): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), restMs)
    return () => clearTimeout(timer)
  }, [text, restMs])
  return settled
}
