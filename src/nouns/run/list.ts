import type { Operation } from '../../frame/ctx.ts'
import { readPage } from '../../frame/page.ts'
import { visibleProjects } from '../../frame/scope.ts'
import { requireFeature } from '../feature/feature.ts'
import type { FeatureRoutes } from '../feature/routes.ts'
import type { SpecRoutes } from '../spec/routes.ts'
import { alongAll, walksOf } from './path.ts'
import type { RunRoutes } from './routes.ts'
import { columns, type RunRow, shownRuns } from './row.ts'

/** Throws NOT_FOUND for an unknown project; BAD_REQUEST for a cursor of another order. */
export const listRuns: Operation<RunRoutes['listRuns']> = async (ctx, { project, ...filters }) => {
  const { all, projects } = await visibleProjects(ctx, project)
  const { limit, order, cursor, createdAfter, createdBefore, ...asked } = filters
  const isAnyRun = Object.values(asked).every((value) => value === undefined)
  const walks =
    all && isAnyRun ? [alongAll] : (await Promise.all(projects.map(({ id }) => walksOf(ctx.db, id, asked)))).flat()
  const { rows, meta } = await readPage<RunRow>(ctx.db, columns, walks, filters)
  const slugs = new Map(projects.map(({ id, slug }) => [id, slug]))
  return { runs: await shownRuns(ctx, rows, (id) => slugs.get(id) ?? ''), meta }
}

/** The runs that touched a feature. Throws NOT_FOUND if the project has no feature with that number. */
export const listFeatureRuns: Operation<FeatureRoutes['listFeatureRuns']> = async (ctx, { id, ...filters }) => {
  await requireFeature(ctx, id)
  const walks = await walksOf(ctx.db, ctx.project.id, { ...filters, featureId: id })
  const { rows, meta } = await readPage<RunRow>(ctx.db, columns, walks, filters)
  return { runs: await shownRuns(ctx, rows), meta }
}

/** The runs of a spec, whether or not the spec is registered. */
export const listSpecRuns: Operation<SpecRoutes['listSpecRuns']> = async (ctx, filters) => {
  const walks = await walksOf(ctx.db, ctx.project.id, filters)
  const { rows, meta } = await readPage<RunRow>(ctx.db, columns, walks, filters)
  return { runs: await shownRuns(ctx, rows), meta }
}
