import { useEffect, useState } from 'preact/hooks'
import { base } from './base.ts'
import { ofBrowser } from './storage.ts'

/** A value that this browser stores for a ledger, shared by all its tabs. */
export interface Kept<T> {
  read(): T
  /** Stores the value in a form that `parse` reads. A Set is stored as a list. */
  write(value: T): void
}

const listeners = new Set<() => void>()

/** Stores a value under that name. `parse` must cope with any stored value, since other code may have written it. */
export function keptIn<T>(name: string, parse: (kept: unknown) => T): Kept<T> {
  const place = `conduct.${name} ${base}`
  return {
    read: () => parse(ofBrowser.getJson(place)),
    write(value) {
      ofBrowser.set(place, JSON.stringify(value instanceof Set ? [...value] : value))
      for (const listener of listeners) listener()
    },
  }
}

/** The current value, also after changes in other tabs. */
export function useKept<T>(kept: Kept<T>): T {
  const [value, setValue] = useState(kept.read)
  useEffect(() => {
    const look = () => setValue(kept.read())
    listeners.add(look)
    addEventListener('storage', look)
    return () => {
      listeners.delete(look)
      removeEventListener('storage', look)
    }
  }, [kept])
  return value
}

/** The strings of a list; empty for any other value. */
export const textsOf = (kept: unknown): string[] => (Array.isArray(kept) ? kept.map(String) : [])
