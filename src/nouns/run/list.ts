import sql, { join, raw } from 'sql-template-tag'
import type { PageInput } from '../../contract/field.ts'
import type { Tx } from '../../engine/db.ts'
import type { Ctx, Operation } from '../../frame/ctx.ts'
import { boundAfter, type IndexWalk, readPage, type TimeSpan } from '../../frame/page.ts'
import { countOfAll, slugsOf, visibleProjects } from '../../frame/scope.ts'
import { requireFeature } from '../feature/feature.ts'
import type { FeatureRoutes } from '../feature/routes.ts'
import type { SpecRoutes } from '../spec/routes.ts'
import { alongAll, alongRuns, conditionsBy, type Filters, few, pathsOf, uncovered, walksOf } from './path.ts'
import { readyFilters } from './ready-filters.ts'
import type { RunRoutes } from './routes.ts'
import { columns, type RunRow, shownRuns } from './row.ts'

/** Throws NOT_FOUND for an unknown project; BAD_REQUEST for a cursor of another order. */
export const listRuns: Operation<RunRoutes['listRuns']> = async (ctx, { project, ...filters }) => {
  const { limit, order, cursor, createdAfter, createdBefore, ...given } = filters
  const { rows, meta } = await findRuns(ctx, project, filters, await readyFilters(ctx, given))
  const slugs = await slugsOf(
    ctx.db,
    rows.map((row) => row.project_id),
  )
  return { runs: await shownRuns(ctx, rows, (id) => slugs.get(id) ?? ''), meta }
}

/** Of many projects, their indexes come last: mostly the newest runs fill the page, or a filter finds few runs in all. */
async function findRuns(ctx: Ctx, project: readonly string[] | undefined, page: PageInput & TimeSpan, asked: Filters) {
  const { db } = ctx
  const read = (walks: IndexWalk[]) => readPage<RunRow>(db, columns, walks, page)
  const count = await countOfAll(ctx, project)
  if (count !== undefined && Object.values(asked).every((value) => value === undefined)) return read([alongAll])
  const newest = async (most: number) => {
    const found = count !== undefined && count > fewProjects ? await amongFirst(db, asked, page, most) : undefined
    const answer = found && (await read([found.walk]))
    return answer && (found.isWhole || answer.meta.hasMore) ? answer : undefined
  }
  const first = await newest(1_000)
  if (first) return first
  const ids = (await visibleProjects(ctx, project)).projects.map(({ id }) => id)
  const few = ids.length > fewProjects ? await amongFew(db, ids, asked) : undefined
  if (few) return read([few])
  return (await newest(10_000)) ?? read((await Promise.all(ids.map((id) => walksOf(db, id, asked)))).flat())
}

/** The runs that touched a feature. Throws NOT_FOUND if the project has no feature with that number. */
export const listFeatureRuns: Operation<FeatureRoutes['listFeatureRuns']> = async (ctx, { id, ...filters }) => {
  await requireFeature(ctx, id)
  const walks = await walksOf(ctx.db, ctx.project.id, await readyFilters(ctx, { ...filters, featureId: id }))
  const { rows, meta } = await readPage<RunRow>(ctx.db, columns, walks, filters)
  return { runs: await shownRuns(ctx, rows), meta }
}

/** The runs of a spec, whether or not the spec is registered. */
export const listSpecRuns: Operation<SpecRoutes['listSpecRuns']> = async (ctx, filters) => {
  const walks = await walksOf(ctx.db, ctx.project.id, await readyFilters(ctx, filters))
  const { rows, meta } = await readPage<RunRow>(ctx.db, columns, walks, filters)
  return { runs: await shownRuns(ctx, rows), meta }
}

// Walks through the runs of many projects, whose cost hardly depends on the number of projects.

/** In as few projects as this, a walk through each of them costs no more. */
const fewProjects = 20

const project = sql`runs.project_id`

/**
 * A walk through the runs of all projects, at most that many of them, for a page of those that match. `isWhole` says
 * whether there are no more. Undefined for a commit, which few runs have.
 */
async function amongFirst(db: Tx, filters: Filters, page: PageInput & TimeSpan, count: number) {
  if (filters.commit !== undefined) return undefined
  const bound = await boundAfter(db, alongAll, page, count)
  const conditions = conditionsBy(pathsOf(db.dialect, project, filters, []), filters)
  const walk: IndexWalk = { ...alongAll, where: [...(bound ? [bound] : []), ...conditions] }
  return { walk, isWhole: bound === undefined }
}

/** The matching runs of these projects, if one of the filters finds few runs in all of them; undefined if none does. */
async function amongFew(db: Tx, projects: number[], filters: Filters): Promise<IndexWalk | undefined> {
  if (filters.commit !== undefined) return undefined
  const { dialect } = db
  const paths = pathsOf(dialect, project, filters, [])
  let fewest: number[] | undefined
  for (const { table, project: column, probes, id } of uncovered(paths)) {
    if (column === undefined) continue
    const led = dialect.ledBy(projects, table, column)
    const found = probes.map(
      (probe) => sql`select * from (
      select ${raw(id)} as id from ${led.from} where ${led.where} and ${probe} limit ${raw(String(few))}) as probe`,
    )
    const rows = await db.query<{ id: number }>(join(found, ' union all '))
    if (rows.length < (fewest?.length ?? few)) fewest = rows.map(({ id }) => id)
  }
  if (!fewest) return undefined
  const led = dialect.ledBy(fewest, sql`runs`, 'runs.id')
  return { ...alongRuns, from: led.from, where: [led.where, ...conditionsBy(paths, filters)] }
}
