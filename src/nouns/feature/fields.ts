import { z } from 'zod'
import { rowId, text } from '../../contract/field.ts'
import { emptyOf, erasedField, givenOf, historyFields, shownOf, stored } from '../../contract/stored.ts'
import { lastRun } from '../run/fields.ts'
import { used } from '../run/stats-fields.ts'

const nullableText = z.string().nullable()

/** The fields of a feature, in the order of a response. Rows, state, erasure and reference follow from this list. */
export const featureFields = {
  id: stored('integer', rowId, 'The number of the feature in its project', { column: 'number' }),
  project: stored('word', z.string(), 'The slug of the project', { column: 'slug' }),
  name: stored('text', z.string(), 'Its name', { given: text(200, 1) }),
  description: stored('text', nullableText, 'What it is, in a few sentences', {
    given: text(10_000).nullable(),
    isSearched: true,
  }),
  file: stored('text', nullableText, 'The path of the file or folder', {
    given: text(512, 1).nullable().describe('The path of its file or folder'),
    isSearched: true,
  }),
  createdAt: historyFields.createdAt,
  updatedAt: historyFields.updatedAt,
  version: historyFields.version,
  erasedAt: erasedField,
}

export const rowFields = {
  ...featureFields,
  rowId: stored('integer', rowId, 'The number of its row, never reused', { column: 'id' }),
  createdBy: historyFields.createdBy,
  updatedBy: { ...historyFields.updatedBy, isUnread: true as const },
}

const { name: _, ...empty } = emptyOf(featureFields)
/** The state of a new feature, but for its name. */
export const emptyFeature = empty

/** The fields that a caller may set, at creation and later. */
export const featurePatch = givenOf(featureFields)
const patchSchema = z.object(featurePatch)
export type FeaturePatch = z.infer<typeof patchSchema>

/** A feature that is created if it does not exist. */
export const featureInput = z.strictObject({ ...featurePatch, name: featurePatch.name.unwrap() })
export type FeatureInput = z.infer<typeof featureInput>

/** A feature; its `id` is its number within the project. */
export const feature = z.object(shownOf(featureFields)).meta({ id: 'Feature' })
export type Feature = z.infer<typeof feature>

const featureRuns = z.object({
  runs: z.int().describe('How many runs touched it'),
  lastRun: lastRun.nullable().describe('The newest run that touched it'),
  costUsd: used.costUsd,
  costed: used.costed,
})
export type FeatureRuns = z.infer<typeof featureRuns>

/** A feature as lists show it, with the totals of the runs that touched it. */
export const listedFeature = z.object({ ...feature.shape, ...featureRuns.shape }).meta({ id: 'ListedFeature' })
