import type { PageInput } from '../../contract/field.ts'
import type { Ctx, Operation } from '../../frame/ctx.ts'
import { readPage, type Span, type Walk } from '../../frame/page.ts'
import { countOfAll, slugsOf, visibleProjects } from '../../frame/scope.ts'
import { requireFeature } from '../feature/feature.ts'
import type { FeatureRoutes } from '../feature/routes.ts'
import type { SpecRoutes } from '../spec/routes.ts'
import { amongFew, amongFirst, fewProjects } from './across.ts'
import { alongAll, type Filters, walksOf } from './path.ts'
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
async function findRuns(ctx: Ctx, project: readonly string[] | undefined, page: PageInput & Span, asked: Filters) {
  const { db } = ctx
  const read = (walks: Walk[]) => readPage<RunRow>(db, columns, walks, page)
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
