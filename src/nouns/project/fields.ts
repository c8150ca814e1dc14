import { z } from 'zod'
import { text, time } from '../../contract/field.ts'
import { lastRun } from '../run/fields.ts'
import { labelName } from '../run/part-fields.ts'

export const projectFields = {
  name: text(200, 1),
  repository: text(512, 1).nullable(),
}

const days = z.int().min(1).max(36_500).nullable()
const contentDays = days.describe('Days after the end of a run at which its texts are erased; null: never')
const runDays = days.describe('Days after the end of a run at which it is deleted; null: never')
const kept = {
  failed: z.boolean().describe('Keep failed runs'),
  labels: z.array(labelName).max(20, 'at most 20 labels').describe('Keep runs that have one of these labels'),
}
const keep = 'Runs that are kept whole, however old they are'

const retention = z.object({ contentDays, runDays, keep: z.object(kept).describe(keep) }).meta({ id: 'Retention' })

/** What is left out of it is null, false or empty. */
export const retentionInput = z
  .strictObject({ contentDays, runDays, keep: z.strictObject(kept).partial().describe(keep) })
  .partial()
export type RetentionInput = z.infer<typeof retentionInput>

export const project = z
  .object({
    slug: z.string(),
    name: z.string(),
    repository: z.string().nullable(),
    retention: retention.nullable().describe('How long its runs are kept; null: forever'),
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
