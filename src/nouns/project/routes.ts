import { z } from 'zod'
import { humanId, ifVersion, pageInput, pageMeta } from '../../contract/field.ts'
import type { Name } from '../../contract/paths.ts'
import { done, type OperationRoute } from '../../contract/route.ts'
import { listedProject, project, projectFields, retentionInput } from './fields.ts'

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
    isOfServer: true,
    example: { slug: 'shop', name: 'Shop', repository: 'https://example.com/shop.git' },
  },
  listProjects: {
    summary: 'List the projects that the key sees',
    permission: 'read',
    input: z.strictObject(pageInput),
    output: z.object({ projects: z.array(listedProject), meta: pageMeta }),
    example: {},
  },
  getProject: {
    summary: 'Read a project',
    permission: 'read',
    input: z.strictObject({ slug: humanId }),
    output: projectAnswer,
    example: { slug: 'shop' },
  },
  updateProject: {
    summary: 'Change fields of a project',
    permission: 'admin',
    input: z.strictObject({
      slug: humanId,
      name: projectFields.name.optional(),
      repository: projectFields.repository.optional(),
      retention: retentionInput.nullable().optional().describe('How long its runs are kept; null: forever'),
      ifVersion,
    }),
    output: projectAnswer,
    example: { slug: 'shop', name: 'Web shop', retention: { contentDays: 90, keep: { labels: ['release'] } } },
  },
  deleteProject: {
    summary: 'Delete a project with everything in it, and revoke its keys',
    permission: 'admin',
    input: z.strictObject({
      slug: humanId,
      confirm: z.string().max(1000).describe('The name of the project, as it stands there'),
      ifVersion,
    }),
    output: done,
    example: { slug: 'shop', confirm: 'Web shop' },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type ProjectRoutes = typeof projectRoutes
