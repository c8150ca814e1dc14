import { z } from 'zod'
import { humanId, text, time } from './field.ts'
import { lastRun } from './run.ts'

export const projectFields = {
  name: text(200, 1),
  repository: text(512, 1).nullable(),
}

export const project = z
  .object({
    slug: z.string(),
    name: z.string(),
    repository: z.string().nullable(),
    createdAt: time,
    updatedAt: time,
    version: z.int(),
  })
  .meta({ id: 'Project' })
export type Project = z.infer<typeof project>

/** A project as lists show it. */
export const listedProject = z
  .object({ ...project.shape, lastRun: lastRun.nullable().describe('The newest run in it') })
  .meta({ id: 'ListedProject' })

/** The project of a server key that names no other. */
export const defaultProject = 'default'

/** The `project` filter of lists. */
export const projectFilter = z
  .array(humanId)
  .max(100)
  .optional()
  .describe('Slugs of projects; else all that the key sees')
