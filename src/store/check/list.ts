import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { Parsed } from '../../api/routes.ts'
import type { Operation } from '../ctx.ts'
import type { Tx } from '../engine/db.ts'
import { readPage, type Walk } from '../page.ts'
import { visibleProjects } from '../scope.ts'
import { type CheckRow, columns, shownChecks } from './row.ts'

type Filters = Pick<Parsed<'listChecks'>, 'runId' | 'name' | 'result'>

/** Throws NOT_FOUND for an unknown project. */
export const listChecks: Operation<'listChecks'> = async (ctx, { project, runId, name, result, ...page }) => {
  const { projects } = await visibleProjects(ctx, project)
  const walks = await Promise.all(projects.map(({ id }) => walksOf(ctx.db, id, { runId, name, result })))
  const { rows, meta } = await readPage<CheckRow>(ctx.db, columns, walks.flat(), page)
  return { checks: await shownChecks(ctx, rows), meta }
}

/** The walks through the matching checks of a project: along the checks of the run, of the name, of each result, or all. */
async function walksOf(db: Tx, projectId: number, { runId, name, result }: Filters): Promise<Walk[]> {
  const walk = (...where: Sql[]): Walk => ({
    from: sql`checks`,
    where,
    createdAt: 'checks.created_at',
    id: 'checks.id',
  })
  const results = result && [...new Set(result)]
  // Written so that no engine walks along the index of that column.
  const isNamed = name === undefined ? [] : [sql`checks.name || '' = ${name}`]
  const hasResult = results ? [sql`checks.result || '' in (${join(results)})`] : []
  if (runId !== undefined) {
    const run = sql`(select r.id from runs r where r.project_id = ${projectId} and r.run_id = ${runId})`
    return [walk(sql`checks.run_id = ${run}`, ...isNamed, ...hasResult)]
  }
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
