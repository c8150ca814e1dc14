import { createContext } from 'preact'
import { useContext, useRef } from 'preact/hooks'
import type { Route } from '../app/router.ts'

/** The slugs of the projects chosen for all pages; empty means all projects. */
export const ScopeContext = createContext<string[]>([])

export const useScope = () => useContext(ScopeContext)

/** Pages that show several projects, by the first segment of their addresses. */
const overProjects = [undefined, 'runs', 'specs', 'features', 'trends', 'activity']

/** Whether a page shows the chosen projects rather than a single thing. */
export const isOverProjects = ({ path }: Route) => path.length < 2 && overProjects.includes(path[0])

/** The projects in the address of such a page. Other pages keep the earlier choice. */
export function useChosenProjects(route: Route): string[] {
  const last = useRef<string[]>([])
  if (isOverProjects(route)) last.current = route.query.getAll('project')
  return last.current
}
