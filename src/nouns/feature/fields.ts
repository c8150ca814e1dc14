import { z } from 'zod'
import { rowId, text, time } from '../../contract/field.ts'
import { lastRun } from '../run/fields.ts'

export const featureFields = {
  name: text(200, 1),
  description: text(10_000).nullable().optional(),
  file: text(512, 1).nullable().optional().describe('The path of its file or folder'),
}

/** A feature that is created if it does not exist. */
export const featureInput = z.strictObject(featureFields)

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
    erasedAt: time.optional().describe('When texts of it were erased; missing if none were'),
  })
  .meta({ id: 'Feature' })
export type Feature = z.infer<typeof feature>

const featureRuns = z.object({
  runs: z.int().describe('How many runs touched it'),
  lastRun: lastRun.nullable().describe('The newest run that touched it'),
  costUsd: z.number().nullable().describe('The cost of those runs; null if none of them has one'),
})
export type FeatureRuns = z.infer<typeof featureRuns>

/** A feature as lists show it, with the totals of the runs that touched it. */
export const listedFeature = z.object({ ...feature.shape, ...featureRuns.shape }).meta({ id: 'ListedFeature' })
