import { useEffect, useRef, useState } from 'preact/hooks'
import { useKeys } from '../app/keyboard.ts'
import { goQuery, type Route } from '../app/router.ts'
import { Icon } from './icon.tsx'

const typingMs = 250

/** A search field whose text becomes `q` in the address. */
export function SearchField({ route, label }: { route: Route; label: string }) {
  const asked = route.query.get('q') ?? ''
  const [text, setText] = useState(asked)
  const input = useRef<HTMLInputElement>(null)
  useKeys({ '/': () => input.current?.focus() })
  useEffect(() => setText(asked), [asked])
  useEffect(() => {
    if (text === asked) return
    // Only the first letter adds a step to the history; the others replace it.
    const timer = setTimeout(() => goQuery(route, { q: text }, { replace: asked !== '' }), typingMs)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label class="search">
      <Icon name="search" />
      <span class="unseen">{label}</span>
      <input
        ref={input}
        type="search"
        placeholder={label}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <kbd>/</kbd>
    </label>
  )
}
