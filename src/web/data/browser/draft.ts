import { useRef, useState } from 'preact/hooks'
import { base } from '../../app/router.ts'
import { keptIn, ofTab } from './storage.ts'

interface Draft<T> {
  draft: T
  /** Whether it was begun earlier. */
  isRestored: boolean
  change(changes: Partial<T>): void
  /** Forgets what is stored, once it is saved or no longer wanted. */
  drop(): void
}

const prefix = 'conduct.draft '
const suffix = ` ${base}`

const placeOf = (name: string) => prefix + name + suffix

/** What this tab stores as the draft of that name; null if nothing. */
export const keptDraft = (name: string): unknown => ofTab.getJson(placeOf(name))

export const dropDraft = (name: string): void => ofTab.remove(placeOf(name))

/**
 * A text that is not saved yet. This tab stores it under `name`, so that it outlives a visit to another page and a
 * session that expires. `isDraft` recognizes a stored value, since other code may have written it.
 */
export function useDraft<T extends object>(name: string, begin: T, isDraft: (kept: unknown) => kept is T): Draft<T> {
  const [restored] = useState(() => keptDraft(name))
  const isRestored = isDraft(restored)
  const [draft, setDraft] = useState(isRestored ? restored : begin)
  // A change may come from an earlier drawing, for example after a request.
  const latest = useRef(draft)
  const change = (changes: Partial<T>) => {
    latest.current = { ...latest.current, ...changes }
    ofTab.set(placeOf(name), JSON.stringify(latest.current))
    setDraft(latest.current)
  }
  return { draft, isRestored, change, drop: () => dropDraft(name) }
}

/** Recognizes a stored value that has the fields of `begin`, each of the same type. Lists are of texts. */
export const isLike =
  <T extends object>(begin: T) =>
  (kept: unknown): kept is T =>
    kept instanceof Object &&
    Object.entries(begin).every(([field, value]) => {
      const own = (kept as Record<string, unknown>)[field]
      if (!Array.isArray(value)) return typeof own === typeof value
      return Array.isArray(own) && own.every((item) => typeof item === 'string')
    })

/** When a user of this browser last logged out, in milliseconds; 0 if nobody did. */
const lastLogout = keptIn('logout', (kept) => (typeof kept === 'number' ? kept : 0))
/** Where this tab stores the last logout that it knows of. */
const known = `conduct.logout${suffix}`

/** Forgets all texts of this tab that are not saved, because a user logged out at that time. */
export function dropDrafts(logout: number): void {
  const places = ofTab.names().filter((place) => place.startsWith(prefix) && place.endsWith(suffix))
  for (const place of places) ofTab.remove(place)
  ofTab.set(known, String(logout))
}

/** Notes a logout for tabs that are closed now: they forget their texts when they are restored. */
export const noteLogout = (at: number): void => lastLogout.write(at)

const last = lastLogout.read()
if (last !== 0 && last !== ofTab.getJson(known)) dropDrafts(last)
