import { useEffect, useRef, useState } from 'preact/hooks'
import { useKeys } from '../app/keyboard.ts'
import { goQuery, type Route } from '../app/router.ts'
import { Icon } from './icon.tsx'

const typingMs = 250

/** Words to look for, which stand in the address as `q` once they are written. */
export function SearchField({ route, label }: { route: Route; label: string }) {
  const asked = route.query.get('q') ?? ''
  const [text, setText] = useState(asked)
  const input = useRef<HTMLInputElement>(null)
  useKeys({ '/': () => input.current?.focus() })
  useEffect(() => setText(asked), [asked])
  useEffect(() => {
    if (text === asked) return
    // The first letter is a step that the back button takes back; the others only go on with it.
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
