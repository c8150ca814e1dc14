import sql, { empty, type Sql } from 'sql-template-tag'
import { ConductError, invalid } from '../../../contract/error.ts'
import type { ActorName } from '../../../contract/field.ts'
import type { RowOf, StateOf } from '../../../contract/stored.ts'
import type { Ctx } from '../../../frame/ctx.ts'
import { idsOf } from '../../../frame/pieces.ts'
import { columnsOf, stateReader, stateWriter } from '../../../frame/stored.ts'
import { actorsOf } from '../../../log/actor.ts'
import type { Changes } from '../../../log/event.ts'
import { type NewEvent, record } from '../../../log/record.ts'
import { type Check, checkFields, rowFields } from './fields.ts'
import { standingsOf } from './verdict.ts'

export type CheckRow = RowOf<typeof rowFields>

/** The columns of a CheckRow. */
export const columns = columnsOf('checks', rowFields, {
  slug: sql`(select p.slug from projects p where p.id = checks.project_id)`,
  run: sql`(select r.run_id from runs r where r.id = checks.run_id)`,
})

/** The fields of a check that its creator sets. */
export type CheckState = StateOf<typeof checkFields>

export const stateOf = stateReader<CheckState>(checkFields, {})

export const valuesOf = stateWriter(checkFields)

const gone = { counts: false, replacedBy: null, current: false, evidence: 'self' } as const

/** The checks of some rows, as responses show them. `pause` is that of `standingsOf`. */
export async function shownChecks(ctx: Ctx, rows: CheckRow[], pause?: () => Promise<unknown>): Promise<Check[]> {
  const actors = await actorsOf(
    ctx,
    rows.flatMap((row) => [row.created_by, row.updated_by]),
  )
  const standings = await standingsOf(ctx, idsOf(rows), pause)
  return rows.map((row) => ({
    id: row.id,
    project: row.slug,
    checkId: row.check_id,
    runId: row.run,
    ...stateOf(row),
    linkedTo: row.linked_to,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    createdBy: actors.get(row.created_by) as ActorName,
    updatedBy: actors.get(row.updated_by) as ActorName,
    version: row.version,
    // A check that was deleted meanwhile no longer counts.
    ...(standings.get(row.id) ?? gone),
    ...(row.erased_at !== null && { erasedAt: row.erased_at }),
  }))
}

export const shownCheck = async (ctx: Ctx, row: CheckRow) => (await shownChecks(ctx, [row]))[0] as Check

/** What the log records about a new or deleted check. */
export const factsOf = (runId: string, state: CheckState) => ({
  runId,
  ...state,
  contentType: state.contentType === 'text/markdown' ? null : state.contentType,
})

/** Throws VALIDATION_ERROR if a failed command is reported as passed. */
export function requireAgreement({ result, exitCode }: Pick<CheckState, 'result' | 'exitCode'>): void {
  if (result === 'pass' && exitCode !== null && exitCode !== 0) {
    throw invalid('result', `is 'pass', but exitCode is ${exitCode}: such a command did not pass`)
  }
}

type What = 'created' | 'updated' | 'deleted'

/** The event of a change of a check. */
export const eventOf = (
  ctx: Ctx,
  what: What,
  { id: subjectId, check_id: subject }: CheckRow,
  changes: Changes,
): NewEvent => ({ type: `check.${what}`, subject, subjectId, projectId: ctx.project.id, changes })

export const recordCheck = (ctx: Ctx, what: What, row: CheckRow, changes: Changes, isImported = false) =>
  record(ctx, { ...eventOf(ctx, what, row, changes), isImported })

/**
 * Whether the run of a check is not being deleted. PostgreSQL expects a bare comparison to hold for one check of 200, and
 * sorts all checks of a project instead of walking along their index.
 */
export const hasRun = sql`
  coalesce((select r.project_id from runs r where r.id = checks.run_id) = checks.project_id, false)`

/** The check with that id in the caller's project. Throws NOT_FOUND if there is none. */
export async function requireCheck(ctx: Ctx, checkId: string, lock: Sql = empty): Promise<CheckRow> {
  const [row] = await ctx.db.query<CheckRow>(sql`
    select ${columns} from checks
    where checks.project_id = ${ctx.project.id} and checks.check_id = ${checkId} and ${hasRun} ${lock}`)
  if (!row) throw noCheck(ctx, checkId)
  return row
}

export const noCheck = (ctx: Ctx, checkId: string) =>
  new ConductError('NOT_FOUND', `There is no check '${checkId}' in project '${ctx.project.slug}'.`)
