import { goQuery, type Route } from '../app/router.ts'
import { useProjects } from '../data/projects.ts'
import { Choice } from './menu.tsx'

/** Chooses projects, where there are several; they stand in the address. */
export function ProjectChoice({ route }: { route: Route }) {
  const projects = useProjects()
  if (projects.length < 2) return null
  return (
    <Choice
      name="Project"
      options={projects.map(({ slug, name }) => ({ value: slug, word: name }))}
      chosen={route.query.getAll('project')}
      onChange={(project) => goQuery(route, { project })}
    />
  )
}
