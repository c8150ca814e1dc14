import { createContext } from 'preact'
import { useContext, useEffect, useRef, useState } from 'preact/hooks'
import type { Project } from '../../../nouns/project/fields.ts'
import { goQuery, type Route } from '../../app/router.ts'
import { listen } from '../log/stream.ts'
import { useRead } from '../query/read.ts'
import { client } from '../query/server.ts'
import { unnamed } from './views.ts'

/** The projects visible to the session; empty until they are loaded. */
export function useProjects(): Project[] {
  const { data } = useRead(
    'projects',
    async (signal) => {
      const projects: Project[] = []
      for await (const project of client.all('listProjects', { limit: 100 }, { signal })) projects.push(project)
      return projects
    },
    { touches: ({ type }) => type.startsWith('project.') },
  )
  return data ?? []
}

/** The slugs of the projects chosen for all pages; empty means all projects. */
export const ScopeContext = createContext<string[]>([])

export const useScope = () => useContext(ScopeContext)

/**
 * The projects in the address of a page that shows the chosen ones. Other pages keep the earlier choice. A deleted
 * project leaves it.
 */
export function useChosenProjects(route: Route, isScoped: boolean): string[] {
  const last = useRef<string[]>([])
  const [, redraw] = useState(0)
  const shown = useRef({ route, isScoped })
  shown.current = { route, isScoped }
  if (isScoped) last.current = route.query.getAll('project')
  useEffect(
    () =>
      listen((news) => {
        if (news.kind !== 'event' || news.event.type !== 'project.deleted') return
        const { subject } = news.event
        if (!last.current.includes(subject)) return
        last.current = last.current.filter((slug) => slug !== subject)
        const { route, isScoped } = shown.current
        if (isScoped) goQuery(unnamed(route), { project: last.current }, { replace: true })
        else redraw((count) => count + 1)
      }),
    [],
  )
  return last.current
}
