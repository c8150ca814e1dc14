import { useLayoutEffect, useRef } from 'preact/hooks'

/**
 * Actions by key (`event.key`). Two keys in a row have a space between them, as in `g n`; `mod+k` means Ctrl or Cmd.
 */
type Shortcuts = Record<string, () => void>

const pairMs = 1000

/** The shortcuts of the mounted components, which share what was pressed before. */
const mounted = new Set<{ current: Shortcuts }>()
let first = { key: '', at: 0 }

/** Listens for keys while the component is mounted, except while someone types or a dialog is open. */
export function useKeys(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts)
  latest.current = shortcuts
  useLayoutEffect(() => {
    if (mounted.size === 0) addEventListener('keydown', press)
    mounted.add(latest)
    return () => {
      mounted.delete(latest)
      if (mounted.size === 0) removeEventListener('keydown', press)
    }
  }, [])
}

function press(event: KeyboardEvent): void {
  if (event.altKey || event.defaultPrevented) return
  if (event.ctrlKey || event.metaKey) {
    const act = hasDialog() ? undefined : actOf(`mod+${event.key.toLowerCase()}`)
    if (act) event.preventDefault()
    act?.()
    return
  }
  if (isTyping(event.target)) return
  // The time of the key press, since a busy page handles it later.
  const pair = event.timeStamp - first.at < pairMs ? `${first.key} ${event.key}` : ''
  first = { key: event.key, at: event.timeStamp }
  // The second key of a pair is not for a component that has that key alone.
  const act = actOf(pair) ?? actOf(event.key)
  if (!act) return
  event.preventDefault()
  act()
}

/** The action of the first component that has these keys. */
const actOf = (keys: string) => [...mounted].find(({ current }) => current[keys])?.current[keys]

/** Whether keys belong to a field or a dialog. */
export function isTyping(target: EventTarget | null): boolean {
  if (hasDialog()) return true
  return (
    target instanceof HTMLElement &&
    target.closest('input:not([type=checkbox]), textarea, select, [contenteditable]') !== null
  )
}

const hasDialog = () => document.querySelector('dialog[open]') !== null
