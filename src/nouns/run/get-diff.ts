import sql, { empty, type Sql } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { only } from '../../engine/db.ts'
import type { Ctx, Operation } from '../../frame/ctx.ts'
import { documentText, isErased } from '../../frame/document.ts'
import { countWithin } from '../../frame/page.ts'
import { listOf } from '../../frame/pieces.ts'
import type { FileDiff } from './diff-fields.ts'
import type { DiffRoutes } from './diff-routes.ts'
import { type RunRow, requireRun, stateOf } from './row.ts'
import type { TurnFields } from './turn-fields.ts'

interface Place {
  id: number
  path: string
  bytes: number
}

interface Shown {
  id: number
  path: string
  n: number
  facts: string
  patch: string | null
  is_erased: number
}

/** The most bytes of diffs in one response. */
const mostBytes = 3_000_000

/**
 * Reads the diffs of a turn, or of the whole run: of each file, what the last turn that names it says of the run by then.
 * Throws NOT_FOUND if the project has no such run, or the run no such turn; BAD_REQUEST for a cursor of something else.
 */
export const getDiff: Operation<DiffRoutes['getDiff']> = async (ctx, { runId, path, turn, limit, cursor }) => {
  const run = await requireRun(ctx, runId)
  const found = turn === undefined ? ofRun(run) : await ofTurn(ctx, run, turn)
  const within = path === undefined ? found.where : sql`${found.where} and ${isWithin(path)}`
  const after = cursor === undefined ? empty : sql`and t.path > ${await pathAt(ctx, run, cursor)}`
  const places = await ctx.db.query<Place>(sql`
    select t.id, t.path, coalesce((select d.bytes from documents d where d.id = ${found.document}), 0) as bytes
    from turn_diffs t where ${within} ${after} order by t.path limit ${limit + 1}`)
  const page = places.slice(
    0,
    Math.min(
      limit,
      countWithin(places, ({ bytes }) => Number(bytes), mostBytes),
    ),
  )
  const last = page.at(-1)
  const hasMore = last !== undefined && places.length > page.length
  return {
    files: await shown(ctx, found, page),
    meta: {
      ...(await countOf(ctx, within, path === undefined ? await changedFiles(ctx, run, turn) : 0)),
      hasMore,
      ...(hasMore && { nextCursor: cursorOf(last) }),
    },
  }
}

/** Which rows `t` to read, and which of their two changes. */
interface Found {
  where: Sql
  facts: Sql
  document: Sql
}

const isThere = (facts: Sql) => sql`${facts} <> '{}'`

async function ofTurn(ctx: Ctx, run: RunRow, n: number): Promise<Found> {
  const [turn] = await ctx.db.query<{ id: number }>(sql`select id from turns where run_id = ${run.id} and n = ${n}`)
  if (!turn) throw new ConductError('NOT_FOUND', `Run '${run.run_id}' has no turn ${n}.`)
  const facts = sql`t.facts`
  return { where: sql`t.turn_id = ${turn.id} and ${isThere(facts)}`, facts, document: sql`t.document_id` }
}

function ofRun(run: RunRow): Found {
  const facts = sql`coalesce(t.whole_facts, t.facts)`
  const isLast = sql`not exists (
    select 1 from turn_diffs later where later.run_id = t.run_id and later.path = t.path and later.n > t.n)`
  return {
    where: sql`t.run_id = ${run.id} and ${isThere(facts)} and ${isLast}`,
    facts,
    document: sql`case when t.whole_facts is null then t.document_id else t.whole_document_id end`,
  }
}

/** A file, or all below a folder. `0` comes right after `/`. */
export const isWithin = (path: string): Sql =>
  path.endsWith('/') ? sql`t.path > ${path} and t.path < ${`${path.slice(0, -1)}0`}` : sql`t.path = ${path}`

async function shown(ctx: Ctx, { facts, document }: Found, places: Place[]): Promise<FileDiff[]> {
  if (places.length === 0) return []
  const rows = await ctx.db.query<Shown>(sql`
    select t.id, t.path, t.n, ${facts} as facts, ${documentText(document)} as patch,
      case when ${isErased(document)} then 1 else 0 end as is_erased
    from turn_diffs t where t.id in (${listOf(places.map(({ id }) => id))}) order by t.path`)
  return rows.map(({ path, n, facts, patch, is_erased }) => ({
    path,
    turn: n,
    ...JSON.parse(facts),
    ...(is_erased === 1 && { erased: true }),
    ...(patch !== null && is_erased === 0 && { patch }),
  }))
}

/** How many files there are, and how many more were changed. */
async function countOf({ db }: Ctx, within: Sql, changed: number) {
  const { count: total } = only(
    await db.query<{ count: number }>(sql`
    select count(*) as count from turn_diffs t where ${within}`),
  )
  return { total, ...(changed > total && { omitted: changed - total }) }
}

/** How many files a run, or one of its turns, changed as its turns say. */
async function changedFiles({ db }: Ctx, run: RunRow, n: number | undefined): Promise<number> {
  if (n === undefined) return stateOf(run).changes?.files ?? 0
  const { facts } = only(
    await db.query<{ facts: string }>(sql`
    select facts from turns where run_id = ${run.id} and n = ${n}`),
  )
  const { files = [], filesOmitted = 0 } = JSON.parse(facts) as TurnFields
  return files.length + filesOmitted
}

const cursorOf = ({ id }: Place) => Buffer.from(`diff ${id}`).toString('base64url')

/** The path at which the page before ended. */
async function pathAt({ db }: Ctx, run: RunRow, cursor: string): Promise<string> {
  const [, id] = /^diff ([1-9]\d{0,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  const [row] = await db.query<{ path: string }>(sql`
    select path from turn_diffs where id = ${Number(id ?? 0)} and run_id = ${run.id}`)
  if (row) return row.path
  throw new ConductError('BAD_REQUEST', `The cursor '${cursor}' does not come from this list: start again without it.`)
}
