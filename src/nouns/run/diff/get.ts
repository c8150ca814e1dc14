import sql, { empty, type Sql } from 'sql-template-tag'
import { ConductError } from '../../../contract/error.ts'
import { only } from '../../../engine/db.ts'
import type { Ctx, Operation } from '../../../frame/ctx.ts'
import { documentText, isErased } from '../../../frame/document.ts'
import { cursorOf, moreAfter, pageOf, placeOf } from '../../../frame/page.ts'
import { listOf } from '../../../frame/pieces.ts'
import { type RunRow, requireRun, stateOf } from '../row.ts'
import type { TurnFields } from '../turn-fields.ts'
import type { FileDiff } from './fields.ts'
import type { DiffRoutes } from './routes.ts'
import { type DiffColumns, diffsOfRun, diffsOfTurn, isWithin, placeIn } from './rows.ts'

interface DiffPosition {
  id: number
  path: string
  bytes: number
}

/** The most bytes of diffs in one response. */
const mostBytes = 3_000_000

/**
 * Reads the diffs of a turn, or of the whole run. Throws NOT_FOUND if the project has no such run, or the run no such
 * turn; BAD_REQUEST for a cursor of something else.
 */
export const getDiff: Operation<DiffRoutes['getDiff']> = async (ctx, { runId, turn, limit, cursor, ...input }) => {
  const run = await requireRun(ctx, runId)
  const path = placeIn(input.path)
  const { diffs, changed } = await diffsOf(ctx, run, turn)
  const within = path === undefined ? diffs.where : sql`${diffs.where} and ${isWithin('t.path', path)}`
  const after = cursor === undefined ? empty : sql`and t.path > ${await pathAt(ctx, run, cursor)}`
  const places = await ctx.db.query<DiffPosition>(sql`
    select t.id, t.path, coalesce((select d.bytes from documents d where d.id = ${diffs.document}), 0) as bytes
    from turn_diffs t where ${within} ${after} order by t.path limit ${limit + 1}`)
  const page = pageOf(places, limit, ({ bytes }) => Number(bytes), mostBytes)
  const more = moreAfter(page, places, ({ id }) => cursorOf('diff', id))
  const { total, paths } = await countOf(ctx, diffs, within)
  const omitted = path === undefined ? changed - paths : 0
  return {
    files: await shown(ctx, diffs, page),
    meta: { total, ...(omitted > 0 && { omitted }), ...more },
  }
}

/** The diffs, and how many files were changed, also such without a diff. */
async function diffsOf(ctx: Ctx, run: RunRow, n: number | undefined): Promise<{ diffs: DiffColumns; changed: number }> {
  if (n === undefined) return { diffs: diffsOfRun(run), changed: stateOf(run).changes?.files ?? 0 }
  const { facts, diffs } = await diffsOfTurn(ctx, run, n)
  const { files = [], filesOmitted = 0 } = JSON.parse(facts) as TurnFields
  return { diffs, changed: files.length + filesOmitted }
}

async function shown({ db }: Ctx, { facts, document }: DiffColumns, places: DiffPosition[]): Promise<FileDiff[]> {
  if (places.length === 0) return []
  const rows = await db.query<{ path: string; n: number; facts: string; patch: string | null; is_erased: number }>(sql`
    select t.path, t.n, ${facts} as facts, ${documentText(document)} as patch,
      case when ${isErased(document)} then 1 else 0 end as is_erased
    from turn_diffs t where t.id in (${listOf(places.map(({ id }) => id))}) order by t.path`)
  return rows.map(({ path, n, facts, patch, is_erased }) => ({
    path,
    turn: n,
    ...JSON.parse(facts),
    ...(is_erased === 1 ? { erased: true } : patch !== null && { patch }),
  }))
}

/** How many diffs there are, and how many paths they have: a renamed file has two. */
async function countOf({ db }: Ctx, { facts }: DiffColumns, within: Sql): Promise<{ total: number; paths: number }> {
  const isRenamed = sql`${facts} like '%"status":"renamed"%'`
  const rows = await db.query<{ total: number; paths: number }>(sql`
    select count(*) as total, coalesce(sum(case when ${isRenamed} then 2 else 1 end), 0) as paths
    from turn_diffs t where ${within}`)
  const { total, paths } = only(rows)
  return { total, paths: Number(paths) }
}

/** The path at which the page before ended. */
async function pathAt({ db }: Ctx, run: RunRow, cursor: string): Promise<string> {
  const [id] = placeOf(cursor, /^diff ([1-9]\d{0,15})$/)
  const [row] = await db.query<{ path: string }>(sql`
    select path from turn_diffs where id = ${Number(id ?? 0)} and run_id = ${run.id}`)
  if (row) return row.path
  throw new ConductError('BAD_REQUEST', `The cursor '${cursor}' does not come from this list: start again without it.`)
}
