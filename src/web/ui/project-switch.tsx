import { go, goQuery, href, type Route } from '../app/router.ts'
import { isOverProjects, useProjects, useScope } from '../data/lists/projects.ts'
import { unnamed } from '../data/lists/views.ts'
import { Choice } from './menu.tsx'

/**
 * Chooses the projects for all pages, if there are several. The choice is part of the address, which may name projects
 * that do not exist or that this key cannot see: these can be taken back.
 */
export function ProjectSwitch({ route }: { route: Route }) {
  const projects = useProjects()
  const chosen = useScope()
  if (projects.length < 2 && chosen.length === 0) return null
  const known = projects.map(({ slug, name }) => ({ value: slug, word: name }))
  const unknown = chosen.filter((slug) => projects.every((project) => project.slug !== slug))
  const choose = (project: string[]) =>
    isOverProjects(route) ? goQuery(unnamed(route), { project }) : go(href(['runs'], { project }))
  return (
    <div class="project-switch">
      <Choice
        name="Project"
        none="All projects"
        options={[...known, ...unknown.map((slug) => ({ value: slug, word: slug }))]}
        chosen={chosen}
        onChange={choose}
      />
    </div>
  )
}
