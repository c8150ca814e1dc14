import { useLayoutEffect, useState } from 'preact/hooks'
import { base } from '../../app/router.ts'

/**
 * Texts by name that the browser stores. If it stores nothing, because that is forbidden or its storage is full, they
 * last as long as the page.
 */
interface Store {
  get(name: string): string | null
  /** The JSON value of a text; null if there is none. */
  getJson(name: string): unknown
  set(name: string, text: string): void
  remove(name: string): void
  names(): string[]
}

function storeOf(open: () => Storage): Store {
  const unstored = new Map<string, string>()
  const attempt = <T>(work: (storage: Storage) => T, otherwise: T): T => {
    try {
      return work(open())
    } catch {
      return otherwise
    }
  }
  const store: Store = {
    get: (name) => unstored.get(name) ?? attempt((storage) => storage.getItem(name), null),
    getJson: (name) => parsed(store.get(name) ?? 'null'),
    set(name, text) {
      unstored.set(name, text)
      attempt((storage) => {
        storage.setItem(name, text)
        unstored.delete(name)
      }, undefined)
    },
    remove(name) {
      unstored.delete(name)
      attempt((storage) => storage.removeItem(name), undefined)
    },
    names: () => [...unstored.keys(), ...attempt((storage) => Object.keys(storage), [])],
  }
  return store
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** For all tabs of this browser. */
export const ofBrowser = storeOf(() => localStorage)
/** For this tab, also after it is reloaded or restored. */
export const ofTab = storeOf(() => sessionStorage)

/** A value that this browser stores for a ledger, shared by all its tabs. */
interface StoredValue<T> {
  read(): T
  /** Stores the value in a form that `parse` reads. A Set is stored as a list. */
  write(value: T): void
}

const listeners = new Set<() => void>()

/** Stores a value under that name. `parse` must cope with any stored value, since other code may have written it. */
export function keptIn<T>(name: string, parse: (kept: unknown) => T): StoredValue<T> {
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
export function useKept<T>(kept: StoredValue<T>): T {
  const [value, setValue] = useState(kept.read)
  // A layout effect runs together with the first drawing, so no change is missed.
  useLayoutEffect(() => {
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
