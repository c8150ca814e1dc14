import { useEffect, useState } from 'preact/hooks'
import type { Need } from './attention.ts'
import { base } from './server.ts'

const name = `conduct.dismissed ${base}`
/** So many are kept; the oldest are forgotten first. */
const most = 500

/** What was dismissed: the run as it ended, and for that reason. What becomes of it later needs attention again. */
export const dismissalOf = ({ run, why }: Need) => `${run.id} ${run.endedAt} ${why}`

/** What the person at this browser has dismissed. It stays here: others may still have to look, and the run is not changed. */
export function useDismissed(): ReadonlySet<string> {
  const [dismissed, setDismissed] = useState(read)
  useEffect(() => {
    const look = () => setDismissed(read())
    listeners.add(look)
    // From other tabs.
    addEventListener('storage', look)
    return () => {
      listeners.delete(look)
      removeEventListener('storage', look)
    }
  }, [])
  return dismissed
}

export const dismiss = (need: Need) => write([...without(need), dismissalOf(need)].slice(-most))

/** Takes a dismissal back. */
export const restore = (need: Need) => write(without(need))

const listeners = new Set<() => void>()

const without = (need: Need) => [...read()].filter((one) => one !== dismissalOf(need))

function read(): Set<string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(name) ?? '[]')
    return new Set(Array.isArray(kept) ? kept.map(String) : [])
  } catch {
    // Somebody else has written there.
    return new Set()
  }
}

function write(dismissed: string[]) {
  localStorage.setItem(name, JSON.stringify(dismissed))
  for (const listener of listeners) listener()
}
