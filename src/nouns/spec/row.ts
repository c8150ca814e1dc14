import sql, { empty } from 'sql-template-tag'
import type { ActorName } from '../../contract/field.ts'
import type { RowOf, StateOf } from '../../contract/stored.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { columnsOf, stateReader, stateWriter } from '../../frame/stored.ts'
import { actorsOf } from '../../log/actor.ts'
import type { Changes } from '../../log/event.ts'
import { record } from '../../log/record.ts'
import { rowFields, type Spec, specFields } from './fields.ts'
import { noSpec } from './version.ts'

export type SpecRow = RowOf<typeof rowFields>

/** The columns of a SpecRow. */
export const columns = columnsOf('specs', rowFields, {
  slug: sql`(select p.slug from projects p where p.id = specs.project_id)`,
})

export type SpecState = StateOf<typeof specFields>

export const stateOf = stateReader<SpecState>(specFields, {})

export const valuesOf = stateWriter(specFields)

/** The specs of some rows, as responses show them. */
export async function shownSpecs(ctx: Ctx, rows: SpecRow[]): Promise<Spec[]> {
  const actors = await actorsOf(
    ctx,
    rows.flatMap((row) => [row.created_by, row.updated_by]),
  )
  return rows.map((row) => ({
    id: row.id,
    project: row.slug,
    specId: row.spec_id,
    ...stateOf(row),
    checklist: { total: row.checklist_total, done: row.checklist_done },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    createdBy: actors.get(row.created_by) as ActorName,
    updatedBy: actors.get(row.updated_by) as ActorName,
    version: row.version,
    ...(row.erased_at !== null && { erasedAt: row.erased_at }),
  }))
}

export const shownSpec = async (ctx: Ctx, row: SpecRow) => (await shownSpecs(ctx, [row]))[0] as Spec

/** The spec with that id in the caller's project. Throws NOT_FOUND if there is none. */
export async function requireSpec(ctx: Ctx, specId: string, lock = empty): Promise<SpecRow> {
  const [row] = await ctx.db.query<SpecRow>(sql`
    select ${columns} from specs where specs.project_id = ${ctx.project.id} and specs.spec_id = ${specId} ${lock}`)
  if (!row) throw noSpec(ctx, specId)
  return row
}

export function recordSpec(
  ctx: Ctx,
  what: 'created' | 'updated' | 'deleted',
  row: SpecRow,
  changes: Changes,
  isImported = false,
) {
  const { id: subjectId, spec_id: subject } = row
  return record(ctx, { type: `spec.${what}`, subject, subjectId, projectId: ctx.project.id, changes, isImported })
}
