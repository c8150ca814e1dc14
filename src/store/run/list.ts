import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import type { Parsed } from '../../api/routes.ts'
import { statuses } from '../../ledger/run.ts'
import type { Operation } from '../ctx.ts'
import type { Tx } from '../engine/db.ts'
import { requireFeature } from '../feature/feature.ts'
import { readPage, type Walk } from '../page.ts'
import { visibleProjects } from '../scope.ts'
import { columns, type RunRow, runOf } from './row.ts'

/** What any list of runs may be asked for. */
type Filters = Pick<
  Parsed<'listRuns'>,
  'specId' | 'specVersion' | 'status' | 'verdict' | 'agent' | 'label' | 'featureId'
>

/** NOT_FOUND for an unknown project; BAD_REQUEST for a cursor that is not of this order. */
export const listRuns: Operation<'listRuns'> = async (ctx, { project, ...filters }) => {
  const { projects } = await visibleProjects(ctx, project)
  const walks = (await Promise.all(projects.map(({ id }) => walksOf(ctx.db, id, filters)))).flat()
  const { rows, meta } = await readPage<RunRow>(ctx.db, columns, walks, filters)
  const slugs = new Map(projects.map(({ id, slug }) => [id, slug]))
  return { runs: rows.map((row) => runOf(row, slugs.get(row.project_id) ?? '')), meta }
}

/** The runs that touched a feature. NOT_FOUND when the project has no feature of that number. */
export const listFeatureRuns: Operation<'listFeatureRuns'> = async (ctx, { id, ...filters }) => {
  await requireFeature(ctx, id)
  const walks = await walksOf(ctx.db, ctx.project.id, { ...filters, featureId: id })
  const { rows, meta } = await readPage<RunRow>(ctx.db, columns, walks, filters)
  return { runs: rows.map((row) => runOf(row, ctx.project.slug)), meta }
}

/** The runs of a spec, registered or not. */
export const listSpecRuns: Operation<'listSpecRuns'> = async (ctx, filters) => {
  const walks = await walksOf(ctx.db, ctx.project.id, filters)
  const { rows, meta } = await readPage<RunRow>(ctx.db, columns, walks, filters)
  return { runs: rows.map((row) => runOf(row, ctx.project.slug)), meta }
}

/** One thing asked of the runs of a project, with the index that finds them by it. */
interface Path extends Walk {
  /** The filters that the index knows, its own first. */
  knows: readonly [keyof Filters, ...(keyof Filters)[]]
  table: Sql
  /** What finds the runs in that table, each together with the project, in the order in which its index has them. */
  probes: Sql[]
  ordered: Sql
  /** The index has the order of lists for each of these by itself. */
  apart: Sql[]
  /** The same as a condition on `runs` that tempts no engine to leave the path that was chosen. */
  condition: Sql
}

/** The walks through a project that find what is asked, all along the index that leads to the fewest runs. */
async function walksOf(db: Tx, projectId: number, filters: Filters): Promise<Walk[]> {
  const { specVersion } = filters
  const paths = pathsOf(projectId, filters)
  const path = await narrowest(db, paths)
  const where = [
    sql`runs.project_id = ${projectId}`,
    ...paths.filter(({ knows: [own] }) => !path?.knows.includes(own)).map(({ condition }) => condition),
    ...(specVersion === undefined ? [] : [sql`runs.spec_version = ${specVersion}`]),
  ]
  if (!path) return [{ ...alongRuns, where }]
  return path.apart.map((one) => ({ ...path, where: [...path.where, ...(one === empty ? [] : [one]), ...where] }))
}

/** Runs are counted up to this number: so many are soon looked through, whatever else is asked of them. */
const few = 500

/** The path that leads to the fewest runs; where all lead to many, the first. */
async function narrowest(db: Tx, paths: Path[]): Promise<Path | undefined> {
  const own = paths.filter((path) => !paths.some((other) => other !== path && other.knows.includes(path.knows[0])))
  if (own.length < 2) return own[0]
  const counts = await Promise.all(
    own.map(async ({ table, probes, ordered }) => {
      const found = probes.map(
        (probe) => sql`select * from (
          select 1 as one from ${table} where ${probe} order by ${ordered} limit ${raw(String(few))}) as probe`,
      )
      const [row] = await db.query<{ count: number }>(
        sql`select count(*) as count from (${join(found, ' union all ')}) as found`,
      )
      return Math.min(row?.count ?? 0, few)
    }),
  )
  return own[counts.indexOf(Math.min(...counts))]
}

/** The paths to what is asked, that of what is mostly rarest first. */
function pathsOf(projectId: number, { featureId, label, specId, agent, status, verdict }: Filters): Path[] {
  const paths: Path[] = []
  if (featureId !== undefined) {
    const feature = sql`(select f.id from features f where f.project_id = ${projectId} and f.number = ${featureId})`
    paths.push(sidePath('featureId', sql`run_features`, sql`l.feature_id = ${feature}`))
  }
  if (label !== undefined) {
    paths.push(sidePath('label', sql`run_labels`, sql`l.project_id = ${projectId} and ${isLabel(label)}`))
  }
  const each = status && eachOf('status', status)
  if (specId !== undefined) paths.push(runPath(projectId, 'specId', sql`runs.spec_id`, specId, each ?? [empty]))
  if (agent !== undefined) {
    paths.push(runPath(projectId, 'agent', sql`runs.agent`, agent, each ?? eachOf('status', statuses)))
  }
  if (status) paths.push(valuesPath(projectId, 'status', status))
  if (verdict) paths.push(valuesPath(projectId, 'verdict', verdict))
  return paths
}

function sidePath(own: keyof Filters, table: Sql, found: Sql): Path {
  return {
    knows: [own],
    table: sql`${table} l`,
    probes: [found],
    ordered: sql`l.created_at, l.run_id`,
    apart: [empty],
    condition: sql`exists (select 1 from ${table} l where l.run_id = runs.id and ${found})`,
    // SQLite keeps the order of the tables in a cross join.
    from: sql`${table} l cross join runs`,
    where: [found, sql`runs.id = l.run_id`],
    createdAt: 'l.created_at',
    id: 'l.run_id',
  }
}

const alongRuns = { from: sql`runs`, createdAt: 'runs.created_at', id: 'runs.id' }

/** The index of a column and the status. */
function runPath(projectId: number, own: keyof Filters, column: Sql, value: string, apart: Sql[]): Path {
  return {
    ...alongRuns,
    knows: [own, 'status'],
    table: sql`runs`,
    probes: [sql`runs.project_id = ${projectId} and ${column} = ${value}`],
    ordered: sql`runs.status, runs.created_at, runs.id`,
    apart,
    condition: sql`${column} || '' = ${value}`,
    where: [sql`${column} = ${value}`],
  }
}

function valuesPath(projectId: number, own: 'status' | 'verdict', values: readonly string[]): Path {
  const apart = eachOf(own, values)
  return {
    ...alongRuns,
    knows: [own],
    table: sql`runs`,
    probes: apart.map((one) => sql`runs.project_id = ${projectId} and ${one}`),
    ordered: sql`runs.created_at, runs.id`,
    apart,
    condition: sql`runs.${raw(own)} || '' in (${join(values)})`,
    where: [],
  }
}

/** The conditions of a repeatable filter, one for each value. */
const eachOf = (column: 'status' | 'verdict', values: readonly string[]) =>
  [...new Set(values)].map((value) => sql`runs.${raw(column)} = ${value}`)

function isLabel(label: string): Sql {
  const colon = label.indexOf(':')
  return sql`l.name = ${label.slice(0, colon)} and l.value = ${label.slice(colon + 1)}`
}
