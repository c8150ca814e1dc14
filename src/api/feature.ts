import { z } from 'zod'
import { rowId, text, time } from './field.ts'

export const featureFields = {
  name: text(200, 1),
  description: text(10_000).nullable().optional(),
  file: text(512, 1).nullable().optional().describe('The path of the file or folder that it lives in'),
}

const fieldsSchema = z.object(featureFields)
export type FeatureFields = z.infer<typeof fieldsSchema>

/** A feature; its `id` is its number within the project. */
export const feature = z
  .object({
    id: rowId,
    project: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    file: z.string().nullable(),
    createdAt: time,
    updatedAt: time,
    version: z.int(),
  })
  .meta({ id: 'Feature' })
export type Feature = z.infer<typeof feature>
