import { useLayoutEffect, useState } from 'preact/hooks'

/** The URL of the page and thus of the server, with the base path and a trailing slash. */
export const base = new URL('.', location.href).href

/** The address after its `#`: `#/runs/shop/RUN-001?status=failed` has path segments and a query. */
export interface Route {
  path: string[]
  query: URLSearchParams
  /** Whether the path ends in a slash, as that of a folder does. */
  isFolder?: boolean
}

export type Query = Record<string, string | number | readonly string[] | undefined>

function routeNow(): Route {
  const [path = '', query = ''] = location.hash.slice(1).split(/\?(.*)/s)
  const pieces = path
    .split('/')
    .filter((piece) => piece !== '')
    .map(decoded)
  const params = new URLSearchParams(query)
  // A turn, named as in the API: `#/runs/shop/RUN-001/turns/7`.
  const [page, , , part, turn] = pieces
  if (page !== 'runs' || part !== 'turns' || turn === undefined) {
    return { path: pieces, query: params, isFolder: path.endsWith('/') }
  }
  params.set('turn', turn)
  return { path: pieces.slice(0, 3), query: params }
}

function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece)
  } catch {
    return piece
  }
}

/** The address of a page with its filters. Undefined and empty values are left out. */
export function href(path: readonly (string | number)[], query: Query = {}): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined && one !== '') params.append(name, String(one))
  }
  const text = params.toString()
  return `#/${path.map((piece) => encodeURIComponent(piece)).join('/')}${text === '' ? '' : `?${text}`}`
}

/**
 * Goes to an address. `replace` adds no step to the history, for changes with every key. The page follows at once rather
 * than in the browser's next task, so it draws nothing for the old address, and the next key is for the new page.
 */
export function go(address: string, { replace = false } = {}): void {
  if (address === location.hash) return
  if (replace) history.replaceState(history.state, '', address)
  else history.pushState(null, '', address)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

/** Goes on from the page with that path, unless the person has left it meanwhile: after a request, they may be elsewhere. */
export function goFrom(path: readonly (string | number)[], address: string): void {
  if (href(path) === location.hash.split('?', 1)[0]) go(address)
}

/** The same page with other filters: sets the given ones and keeps the rest. */
export function goQuery({ path, query, isFolder }: Route, changes: Query, options?: { replace?: boolean }): void {
  const kept: Query = Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)]))
  go(href(isFolder ? [...path, ''] : path, { ...kept, ...changes }), options)
}

/** The address, as a new object also when it is asked for again. */
export function useRoute(): Route {
  const [route, setRoute] = useState(routeNow)
  // A layout effect runs together with the first drawing, so no change of the address is missed.
  useLayoutEffect(() => {
    const read = () => setRoute(routeNow())
    // A link to the address that is shown, whose place may be out of sight, does not change it.
    const readAgain = (event: MouseEvent) => {
      if (!isToHere(event)) return
      event.preventDefault()
      read()
    }
    addEventListener('hashchange', read)
    addEventListener('click', readAgain)
    return () => {
      removeEventListener('hashchange', read)
      removeEventListener('click', readAgain)
    }
  }, [])
  return route
}

/** Whether it is a click, which nothing else has handled, on a link to the address that this tab shows. */
function isToHere({ target, defaultPrevented, ctrlKey, metaKey, shiftKey, altKey }: MouseEvent): boolean {
  if (defaultPrevented || ctrlKey || metaKey || shiftKey || altKey) return false
  return target instanceof Element && target.closest('a')?.href === location.href
}
