import sql, { join, type Sql } from 'sql-template-tag'
import type { Parsed } from '../routes.ts'
import { statuses } from '../run.ts'
import type { Operation } from './ctx.ts'
import { requireFeature } from './feature.ts'
import { readPage, type Walk } from './page.ts'
import { columns, type RunRow, runOf } from './run-row.ts'
import { visibleProjects } from './scope.ts'

/** What any list of runs may be asked for. */
type Filters = Pick<
  Parsed<'listRuns'>,
  'specId' | 'specVersion' | 'status' | 'verdict' | 'agent' | 'label' | 'featureId'
>

/** NOT_FOUND for an unknown project; BAD_REQUEST for a cursor that is not of this order. */
export const listRuns: Operation<'listRuns'> = async (ctx, { project, ...filters }) => {
  const { projects } = await visibleProjects(ctx, project)
  const walks = projects.flatMap(({ id }) => walksOf(id, filters))
  const { rows, meta } = await readPage<RunRow>(ctx.db, columns, walks, filters)
  const slugs = new Map(projects.map(({ id, slug }) => [id, slug]))
  return { runs: rows.map((row) => runOf(row, slugs.get(row.project_id) ?? '')), meta }
}

/** The runs that touched a feature. NOT_FOUND when the project has no feature of that number. */
export const listFeatureRuns: Operation<'listFeatureRuns'> = async (ctx, { id, ...filters }) => {
  await requireFeature(ctx, id)
  const { rows, meta } = await readPage<RunRow>(
    ctx.db,
    columns,
    walksOf(ctx.project.id, { ...filters, featureId: id }),
    filters,
  )
  return { runs: rows.map((row) => runOf(row, ctx.project.slug)), meta }
}

/** The runs of a spec, registered or not. */
export const listSpecRuns: Operation<'listSpecRuns'> = async (ctx, filters) => {
  const { rows, meta } = await readPage<RunRow>(ctx.db, columns, walksOf(ctx.project.id, filters), filters)
  return { runs: rows.map((row) => runOf(row, ctx.project.slug)), meta }
}

/**
 * The walks through a project that find what is asked, led by the table whose index knows the rarest thing asked. Where
 * that is `runs` itself there is one per status and verdict, since its indexes know them; an agent's runs are indexed by
 * status too, so that both together are found at once.
 */
function walksOf(projectId: number, filters: Filters): Walk[] {
  const lead = leadOf(projectId, filters)
  const where = [...lead.where, sql`runs.project_id = ${projectId}`, ...plainFilters(filters)]
  const { status, verdict } = filters
  if (lead.isSide) {
    if (status) where.push(sql`runs.status in (${join(status)})`)
    if (verdict) where.push(sql`runs.verdict in (${join(verdict)})`)
    return [{ ...lead, where }]
  }
  const byStatus = perValue(sql`runs.status`, status ?? (filters.agent === undefined ? undefined : statuses))
  const byVerdict = perValue(sql`runs.verdict`, verdict)
  return byStatus.flatMap((one) => byVerdict.map((other) => ({ ...lead, where: [...where, ...one, ...other] })))
}

/** The conditions of a repeatable filter: one for each value, or a single empty one where it is not asked. */
function perValue(column: Sql, values: readonly string[] | undefined): Sql[][] {
  return values ? [...new Set(values)].map((value) => [sql`${column} = ${value}`]) : [[]]
}

function leadOf(projectId: number, { featureId, label }: Filters): Walk & { isSide: boolean } {
  if (featureId !== undefined) {
    return {
      from: sql`run_features l join runs on runs.id = l.run_id`,
      where: [
        sql`l.feature_id = (select f.id from features f where f.project_id = ${projectId} and f.number = ${featureId})`,
        ...(label === undefined
          ? []
          : [sql`exists (select 1 from run_labels b where b.run_id = runs.id and ${isLabel(label)})`]),
      ],
      isSide: true,
      createdAt: 'l.created_at',
      id: 'l.run_id',
    }
  }
  if (label !== undefined) {
    return {
      from: sql`run_labels b join runs on runs.id = b.run_id`,
      where: [sql`b.project_id = ${projectId}`, isLabel(label)],
      isSide: true,
      createdAt: 'b.created_at',
      id: 'b.run_id',
    }
  }
  return { from: sql`runs`, where: [], isSide: false, createdAt: 'runs.created_at', id: 'runs.id' }
}

function isLabel(label: string): Sql {
  const colon = label.indexOf(':')
  return sql`b.name = ${label.slice(0, colon)} and b.value = ${label.slice(colon + 1)}`
}

function plainFilters({ specId, specVersion, agent }: Filters): Sql[] {
  return [
    ...(specId === undefined ? [] : [sql`runs.spec_id = ${specId}`]),
    ...(specVersion === undefined ? [] : [sql`runs.spec_version = ${specVersion}`]),
    ...(agent === undefined ? [] : [sql`runs.agent = ${agent}`]),
  ]
}
