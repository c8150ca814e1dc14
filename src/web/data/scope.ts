import { createContext } from 'preact'
import { useContext, useRef } from 'preact/hooks'
import type { Route } from '../app/router.ts'

/** The projects that were chosen for all pages, by slug; none: all. */
export const ScopeContext = createContext<string[]>([])

export const useScope = () => useContext(ScopeContext)

/** Pages that go over projects, by the first piece of their addresses. */
const overProjects = [undefined, 'runs', 'specs', 'features', 'trends', 'activity']

/** Whether a page shows what is in the chosen projects, rather than one thing or none of theirs. */
export const isOverProjects = ({ path }: Route) => path.length < 2 && overProjects.includes(path[0])

/** What the address of a page over projects says; other pages keep what was chosen before. */
export function useChosenProjects(route: Route): string[] {
  const last = useRef<string[]>([])
  if (isOverProjects(route)) last.current = route.query.getAll('project')
  return last.current
}
