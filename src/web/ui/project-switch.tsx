import { go, goQuery, href, type Route } from '../app/router.ts'
import { useProjects } from '../data/projects.ts'
import { isOverProjects, useScope } from '../data/scope.ts'
import { Choice } from './menu.tsx'

/** Chooses the projects for all pages, if there are several. The choice is part of the address. */
export function ProjectSwitch({ route }: { route: Route }) {
  const projects = useProjects()
  const chosen = useScope()
  if (projects.length < 2) return null
  const choose = (project: string[]) =>
    isOverProjects(route) ? goQuery(route, { project }) : go(href(['runs'], { project }))
  return (
    <div class="project-switch">
      <Choice
        name="Project"
        none="All projects"
        options={projects.map(({ slug, name }) => ({ value: slug, word: name }))}
        chosen={chosen}
        onChange={choose}
      />
    </div>
  )
}
