import type { Route } from '../../app/router.ts'
import { keptIn } from '../browser/storage.ts'

/** A named list of runs: its filters, as in the address. */
interface View {
  name: string
  query: string
}

const isView = (value: unknown): value is View =>
  value instanceof Object &&
  'name' in value &&
  typeof value.name === 'string' &&
  'query' in value &&
  typeof value.query === 'string'

/** The views that this browser keeps, by name. */
export const views = keptIn('views', (kept) => (Array.isArray(kept) ? kept.filter(isView) : []))

/** Saves a view, replacing one of the same name. */
export const saveView = (view: View) =>
  views.write(
    [...views.read().filter(({ name }) => name !== view.name), view].sort((a, b) => a.name.localeCompare(b.name)),
  )

export const forgetView = (gone: string) => views.write(views.read().filter(({ name }) => name !== gone))

/** The route without the name of its view, for changes of filters, which the name no longer describes. */
export function unnamed(route: Route): Route {
  const { path, query } = route
  if (path.length !== 1 || path[0] !== 'runs') return route
  const others = new URLSearchParams(query)
  others.delete('view')
  return { path, query: others }
}
