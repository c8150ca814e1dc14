/**
 * Texts by name that the browser stores. If it stores nothing, because that is forbidden or its storage is full, they
 * last as long as the page.
 */
export interface Store {
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
