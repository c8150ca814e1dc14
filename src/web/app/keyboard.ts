import { useLayoutEffect, useRef } from 'preact/hooks'

/**
 * Actions by key (`event.key`). Two keys in a row have a space between them, as in `g n`; `mod+k` means Ctrl or Cmd.
 */
type Shortcuts = Record<string, () => void>

const pairMs = 1000

/** Listens for keys while the component is mounted, except while someone types or a dialog is open. */
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
      // The time of the key press, since a busy page handles it later.
      const pair = event.timeStamp - first.at < pairMs ? `${first.key} ${event.key}` : ''
      first = { key: event.key, at: event.timeStamp }
      const act = latest.current[pair] ?? latest.current[event.key]
      if (!act) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
}

/** Whether keys belong to a field or a dialog. */
export function isTyping(target: EventTarget | null): boolean {
  if (hasDialog()) return true
  return (
    target instanceof HTMLElement &&
    target.closest('input:not([type=checkbox]), textarea, select, [contenteditable]') !== null
  )
}

const hasDialog = () => document.querySelector('dialog[open]') !== null
