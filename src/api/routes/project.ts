import { z } from 'zod'
import { humanId, ifVersion } from '../field.ts'
import { pageInput, pageMeta } from '../page.ts'
import type { Name } from '../paths.ts'
import { listedProject, project, projectFields } from '../project.ts'
import type { Route } from './route.ts'

const projectAnswer = z.object({ project })

export const projectRoutes = {
  createProject: {
    summary: 'Create a project',
    permission: 'admin',
    input: z.strictObject({
      slug: humanId,
      name: projectFields.name.optional().describe('Default: the slug'),
      repository: projectFields.repository.optional(),
    }),
    output: projectAnswer,
    success: [201],
    example: { slug: 'shop', name: 'Shop', repository: 'https://example.com/shop.git' },
  },
  listProjects: {
    summary: 'List the projects that the key sees',
    permission: 'read',
    input: z.strictObject(pageInput),
    output: z.object({ projects: z.array(listedProject), meta: pageMeta }),
    success: [200],
    example: {},
  },
  getProject: {
    summary: 'Read a project',
    permission: 'read',
    input: z.strictObject({ slug: humanId }),
    output: projectAnswer,
    success: [200],
    example: { slug: 'shop' },
  },
  updateProject: {
    summary: 'Change fields of a project',
    permission: 'admin',
    input: z.strictObject({
      slug: humanId,
      name: projectFields.name.optional(),
      repository: projectFields.repository.optional(),
      ifVersion,
    }),
    output: projectAnswer,
    success: [200],
    example: { slug: 'shop', name: 'Web shop' },
  },
} as const satisfies { [N in Name]?: Route }
