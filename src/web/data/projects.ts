import type { Project } from '../../nouns/project/fields.ts'
import { useRead } from './read.ts'
import { client } from './server.ts'

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
