import { useLayoutEffect, useRef } from 'preact/hooks'

/** Keys that do something, by their name (`event.key`); two in a row are written with a space: `g n`, Ctrl or Cmd as `mod+k`. */
export type Shortcuts = Record<string, () => void>

const pairMs = 1000

/** Listens for keys while the component is there, but not where somebody types, nor behind a dialog. */
export function useKeys(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts)
  latest.current = shortcuts
  useLayoutEffect(() => {
    let first = { key: '', at: 0 }
    const press = (event: KeyboardEvent) => {
      if (event.altKey || event.defaultPrevented) return
      if (event.ctrlKey || event.metaKey) {
        const act = hasDialog() ? undefined : latest.current[`mod+${event.key.toLowerCase()}`]
        if (act) event.preventDefault()
        return act?.()
      }
      if (isTyping(event.target)) return
      const pair = performance.now() - first.at < pairMs ? `${first.key} ${event.key}` : ''
      first = { key: event.key, at: performance.now() }
      const act = latest.current[pair] ?? latest.current[event.key]
      if (!act) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}

/** Whether keys are meant for a field or a dialog. */
export function isTyping(target: EventTarget | null): boolean {
  if (hasDialog()) return true
  return (
    target instanceof HTMLElement &&
    target.closest('input:not([type=checkbox]), textarea, select, [contenteditable]') !== null
  )
}

const hasDialog = () => document.querySelector('dialog[open]') !== null
