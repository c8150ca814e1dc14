import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { InputOf } from '../../../contract/route.ts'
import type { Tx } from '../../../engine/db.ts'
import type { Ctx, Operation } from '../../../frame/ctx.ts'
import { byTime, byTimeEverywhere, type IndexWalk, readPage } from '../../../frame/page.ts'
import { listOf } from '../../../frame/pieces.ts'
import { type Scope, visibleProjects } from '../../../frame/scope.ts'
import type { Check } from './fields.ts'
import type { CheckRoutes } from './routes.ts'
import { type CheckRow, columns, hasRun, shownChecks } from './row.ts'

type Input = InputOf<CheckRoutes['listChecks']>
type Filters = Pick<Input, 'name' | 'result'>
type OfRuns = Pick<Input, 'runId'>

/** Throws NOT_FOUND for an unknown project. */
export const listChecks: Operation<CheckRoutes['listChecks']> = async (
  ctx,
  { project, runId, name, result, ...page },
) => {
  const scope = await visibleProjects(ctx, project)
  const walks = await walksIn(ctx.db, scope, { runId, name, result })
  const { rows, meta } = await readPage<CheckRow>(ctx.db, columns, walks, page)
  return { checks: await shownChecks(ctx, rows), meta }
}

async function walksIn(
  db: Tx,
  { all, projects }: Scope,
  { runId, name, result }: Filters & OfRuns,
): Promise<IndexWalk[]> {
  const ids = projects.map(({ id }) => id)
  if (runId !== undefined) return walksOfRuns(db, ids, runId, { name, result })
  if (all && name === undefined && !result) return [{ ...walk(), ...byTimeEverywhere('checks') }]
  return (await Promise.all(ids.map((id) => walksOf(db, id, { name, result })))).flat()
}

const walk = (...where: Sql[]): IndexWalk => ({
  from: sql`checks`,
  where: [...where, hasRun],
  ...byTime('checks'),
})

/** The conditions of filters, written so that no engine walks along the index of their columns. */
const conditionsOf = ({ name, result }: Filters) => ({
  isNamed: name === undefined ? [] : [sql`checks.name || '' = ${name}`],
  hasResult: result ? [sql`checks.result || '' in (${join([...new Set(result)])})`] : [],
})

/** The walks through the matching checks of some runs. */
async function walksOfRuns(db: Tx, projects: number[], runIds: string[], filters: Filters): Promise<IndexWalk[]> {
  if (projects.length === 0 || runIds.length === 0) return []
  const runs = await db.query<{ id: number }>(sql`
    select id from runs where project_id in (${listOf(projects)}) and run_id in (${listOf([...new Set(runIds)])}) order by id`)
  const { isNamed, hasResult } = conditionsOf(filters)
  return runs.map(({ id }) => walk(sql`checks.run_id = ${id}`, ...isNamed, ...hasResult))
}

/** The walks through the matching checks of a project: along those of the name, of each result, or all. */
async function walksOf(db: Tx, projectId: number, { name, result }: Filters): Promise<IndexWalk[]> {
  const results = result && [...new Set(result)]
  const { isNamed, hasResult } = conditionsOf({ name, result })
  const ofProject = sql`checks.project_id = ${projectId}`
  if (name !== undefined && (!results || (await isRare(db, projectId, name)))) {
    return [walk(ofProject, sql`checks.name = ${name}`, ...hasResult)]
  }
  if (!results) return [walk(ofProject)]
  return results.map((one) => walk(ofProject, sql`checks.result = ${one}`, ...isNamed))
}

/** So many checks can be tested for their results in little time. */
const few = 500

async function isRare(db: Tx, projectId: number, name: string): Promise<boolean> {
  const [row] = await db.query<{ count: number }>(sql`select count(*) as count from (
    select 1 as one from checks where project_id = ${projectId} and name = ${name}
    order by created_at, id limit ${raw(String(few))}) as probe`)
  return (row?.count ?? 0) < few
}

/** The newest checks of a run. */
export async function checksOfRun(ctx: Ctx, runRow: number, limit: number): Promise<Check[]> {
  const rows = await ctx.db.query<CheckRow>(sql`
    select ${columns} from checks where checks.run_id = ${runRow} order by checks.created_at desc, checks.id desc limit ${limit}`)
  return shownChecks(ctx, rows)
}
