import { useEffect, useState } from 'preact/hooks'
import { base } from './server.ts'

/** Something that this browser keeps of a ledger, the same in all its tabs. */
export interface Kept<T> {
  read(): T
  /** Stores what `parse` reads; a Set is stored as a list. */
  write(value: T): void
}

const listeners = new Set<() => void>()

/** Keeps a value under that name; `parse` makes sense of what is kept, which somebody else may have written. */
export function keptIn<T>(name: string, parse: (kept: unknown) => T): Kept<T> {
  const place = `conduct.${name} ${base}`
  return {
    read: () => parse(readJson(place)),
    write(value) {
      try {
        localStorage.setItem(place, JSON.stringify(value instanceof Set ? [...value] : value))
      } catch {
        // A browser that keeps nothing, or no more: the page works without.
      }
      for (const listener of listeners) listener()
    },
  }
}

function readJson(place: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(place) ?? 'null')
  } catch {
    return null
  }
}

/** The value as it is now, here and in other tabs. */
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

/** The texts of a list; whatever else is kept is none. */
export const textsOf = (kept: unknown): string[] => (Array.isArray(kept) ? kept.map(String) : [])
