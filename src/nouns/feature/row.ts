import sql from 'sql-template-tag'
import type { RowOf, StateOf } from '../../contract/stored.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { columnsOf, stateReader, stateWriter } from '../../frame/stored.ts'
import type { Changes } from '../../log/event.ts'
import { record } from '../../log/record.ts'
import { type Feature, featureFields, rowFields } from './fields.ts'

export type FeatureRow = RowOf<typeof rowFields>

/** The columns of a FeatureRow, from `features f`. */
export const columns = columnsOf('f', rowFields, {
  slug: sql`(select p.slug from projects p where p.id = f.project_id)`,
})

export type FeatureState = StateOf<typeof featureFields>

export const stateOf = stateReader<FeatureState>(featureFields, {})

export const valuesOf = stateWriter(featureFields)

/** The feature of a row, as responses show it. */
export const featureOf = (row: FeatureRow): Feature => ({
  id: row.number,
  project: row.slug,
  ...stateOf(row),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  version: row.version,
  ...(row.erased_at !== null && { erasedAt: row.erased_at }),
})

/** The text that it is searched by. */
export const textOf = ({ name, description }: Pick<FeatureState, 'name' | 'description'>) =>
  `${name}\n${description ?? ''}`

export const recordFeature = (
  ctx: Ctx,
  what: 'created' | 'updated' | 'deleted',
  { id, number }: Pick<FeatureRow, 'id' | 'number'>,
  changes: Changes,
) =>
  record(ctx, { type: `feature.${what}`, subject: String(number), subjectId: id, projectId: ctx.project.id, changes })
