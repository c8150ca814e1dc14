import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import { invalid } from '../../contract/error.ts'
import type { SqlDialect, Tx } from '../../engine/db.ts'
import { byTime, byTimeEverywhere, type IndexWalk } from '../../frame/page.ts'
import { momentFilters, type RunFilters, valueFilters } from './filters.ts'
import { hrefKey } from './found-by.ts'
import { statuses } from './state.ts'

/** The filters of any list of runs, as `readyFilters` returns them. */
export type Filters = Omit<RunFilters, 'createdAfter' | 'createdBefore' | 'mine'> & {
  /** The persons whom its author must be, all of them: hashes of their mails. */
  persons?: readonly string[]
}

/** A filter of the runs of a project, with the index that serves it. */
interface Path extends IndexWalk {
  own: keyof Filters
  /** The other filters that its index covers. */
  covers: readonly (keyof Filters)[]
  table: Sql
  /** The column of the project in its index; missing if features lead to the runs. */
  project?: string
  /** Conditions that find the runs of a project in its index, in the order of that index. */
  probes: Sql[]
  ordered: Sql
  /** For each of these alone, the index has the order of lists. */
  apart: Sql[]
  /** The same filter as a condition on `runs`, written so that no engine abandons the chosen index for it. */
  condition: Sql
  /** Its index does not have the order of lists. It is used only if it leads to few runs, which are then sorted. */
  isUnordered?: true
}

/** The walks through a project that find the matching runs, all along the index that leads to the fewest. */
export async function walksOf(db: Tx, projectId: number, filters: Filters): Promise<IndexWalk[]> {
  const commits = filters.commit === undefined ? [] : await commitsBy(db, projectId, filters.commit)
  if (commits.length === 0 && filters.commit !== undefined) return []
  const paths = pathsOf(db.dialect, sql`${projectId}`, filters, commits)
  const path = await narrowest(db, paths, projectId)
  const where = [
    sql`runs.project_id = ${projectId}`,
    ...conditionsBy(
      paths.filter((one) => one !== path && !path?.covers.includes(one.own)),
      filters,
    ),
  ]
  if (!path) return [{ ...alongRuns, where }]
  return path.apart.map((one) => ({ ...path, where: [...path.where, ...(one === empty ? [] : [one]), ...where] }))
}

/** Conditions for all filters, on runs of a project found in another way. Undefined if no run can match. */
export async function conditionsOf(db: Tx, projectId: number, filters: Filters): Promise<Sql[] | undefined> {
  const commits = filters.commit === undefined ? [] : await commitsBy(db, projectId, filters.commit)
  if (commits.length === 0 && filters.commit !== undefined) return undefined
  return [
    sql`runs.project_id = ${projectId}`,
    ...conditionsBy(pathsOf(db.dialect, sql`${projectId}`, filters, commits), filters),
  ]
}

/** Conditions for all of these filters, on any runs. */
export const conditionsBy = (paths: Path[], { specVersion }: Filters): Sql[] => [
  ...paths.map(({ condition }) => condition),
  ...(specVersion === undefined ? [] : [sql`runs.spec_version = ${specVersion}`]),
]

/** How far to count runs: checking this many against the other filters is cheap. */
export const few = 500

/** The index that leads to the fewest runs; if all lead to many, the first one. */
async function narrowest(db: Tx, paths: Path[], projectId: number): Promise<Path | undefined> {
  const own = uncovered(paths)
  if (own.length < 2 && !own[0]?.isUnordered) return own[0]
  const counts = await Promise.all(
    own.map(async ({ table, project, probes, ordered }) => {
      const inProject = project === undefined ? empty : sql`${raw(project)} = ${projectId} and`
      const found = probes.map(
        (probe) => sql`select * from (
          select 1 as one from ${table} where ${inProject} ${probe} order by ${ordered} limit ${raw(String(few))}) as probe`,
      )
      const [row] = await db.query<{ count: number }>(
        sql`select count(*) as count from (${join(found, ' union all ')}) as found`,
      )
      return Math.min(row?.count ?? 0, few)
    }),
  )
  const usable = own.map((path, at) => ({ path, count: counts[at] ?? few }))
  return usable
    .filter(({ path, count }) => !path.isUnordered || count < few)
    .reduce<(typeof usable)[number] | undefined>((a, b) => (a && a.count <= b.count ? a : b), undefined)?.path
}

/** Those whose filters no other index covers. */
export const uncovered = (paths: Path[]) =>
  paths.filter((path) => !paths.some((other) => other.covers.includes(path.own)))

/** If more commits than this share a prefix, we ask for more digits. */
const mostCommits = 20

/** The commits of a project's runs with that prefix. Throws VALIDATION_ERROR if there are too many. */
async function commitsBy(db: Tx, projectId: number, prefix: string): Promise<string[]> {
  // From one commit to the next: `distinct` would read every run of each.
  const next = (where: Sql) => sql`(select min(c.commit_id) from run_commits c
    where c.project_id = ${projectId} and ${where} and c.commit_id < ${`${prefix}g`})`
  const rows = await db.query<{ commit_id: string }>(sql`
    with recursive found (commit_id) as (
      select ${next(sql`c.commit_id >= ${prefix}`)}
      union all select ${next(sql`c.commit_id > found.commit_id`)} from found where commit_id is not null
    ) select commit_id from found where commit_id is not null limit ${mostCommits + 1}`)
  if (rows.length > mostCommits) {
    throw invalid('commit', `'${prefix}' is the beginning of more than ${mostCommits} commits: give more digits`)
  }
  return rows.map(({ commit_id }) => commit_id)
}

/** The possible indexes, in the order of what is usually rarest. `project` is the number of the project of a run. */
export function pathsOf(dialect: SqlDialect, project: Sql, filters: Filters, commits: string[]): Path[] {
  const { featureId, label, specId, agent, status, verdict, file, model, persons } = filters
  const paths: Path[] = []
  if (commits.length > 0) paths.push(commitPath(dialect, project, commits))
  if (filters.href !== undefined) {
    const key = hrefKey(filters.href)
    paths.push(sidePath(dialect, project, 'href', sql`run_links`, sql`l.href_key = ${key}`))
  }
  for (const person of persons ?? []) paths.push(columnPath('persons', 'author_person', person))
  if (file !== undefined) {
    paths.push(sidePath(dialect, project, 'file', sql`run_paths`, sql`l.path = ${file}`))
  }
  if (model !== undefined) {
    paths.push(sidePath(dialect, project, 'model', sql`run_models`, sql`l.model = ${model}`))
  }
  for (const [name, column] of Object.entries(valueFilters) as [keyof typeof valueFilters, string][]) {
    const value = filters[name]
    if (value !== undefined) paths.push(columnPath(name, column, value))
  }
  if (featureId !== undefined) {
    const feature = sql`(select f.id from features f where f.project_id = ${project} and f.number = ${featureId})`
    paths.push(besidePath(dialect, 'featureId', sql`run_features`, sql`l.feature_id = ${feature}`))
  }
  for (const one of new Set(label)) {
    paths.push(sidePath(dialect, project, 'label', sql`run_labels`, isLabel(one)))
  }
  const each = status && eachOf('status', status)
  if (specId !== undefined) paths.push(statusPath('specId', 'spec_id', specId, each ?? [empty]))
  if (agent !== undefined) {
    paths.push(statusPath('agent', 'agent', agent, each ?? eachOf('status', statuses)))
  }
  if (status) paths.push(valuesPath('status', status))
  if (verdict) paths.push(valuesPath('verdict', verdict))
  const moments = momentFilters.filter(
    ({ after, before }) => filters[after] !== undefined || filters[before] !== undefined,
  )
  return [...paths, ...moments.map((moment) => momentPath(dialect, project, moment, filters))]
}

/** Finds a run with several of the commits only once, by the first of them. */
function commitPath(dialect: SqlDialect, project: Sql, commits: string[]): Path {
  const found = (commit: string) => sql`l.commit_id = ${commit}`
  const path = sidePath(dialect, project, 'commit', sql`run_commits`, found(commits[0] as string))
  const apart = commits.map((commit, at) => {
    const before = commits.slice(0, at)
    const first =
      before.length === 0
        ? empty
        : sql`and not exists (select 1 from run_commits o where o.run_id = l.run_id and o.commit_id in (${join(before)}))`
    return sql`l.project_id = ${project} and ${found(commit)} ${first}`
  })
  return {
    ...path,
    probes: commits.map(found),
    apart,
    where: [dialect.follows('runs.id', 'l.run_id')],
    condition: existsBeside(sql`run_commits`, sql`l.commit_id in (${join(commits)})`),
  }
}

export const alongRuns = { from: sql`runs`, ...byTime('runs') }

/** An index of runs with the project, in the order of lists. */
const alongIndex = {
  ...alongRuns,
  covers: [],
  table: sql`runs`,
  project: 'runs.project_id',
  ordered: sql`runs.created_at, runs.id`,
  apart: [empty],
}

/** The index of a single column. */
function columnPath(own: keyof Filters, name: string, value: string): Path {
  const column = sql`runs.${raw(name)}`
  const is = sql`${column} = ${value}`
  return { ...alongIndex, own, probes: [is], condition: sql`${column} || '' = ${value}`, where: [is] }
}

/** The index of a column together with the status. */
const statusPath = (own: 'specId' | 'agent', name: string, value: string, apart: Sql[]): Path => ({
  ...columnPath(own, name, value),
  covers: ['status'],
  ordered: sql`runs.status, runs.created_at, runs.id`,
  apart,
})

function valuesPath(own: 'status' | 'verdict', values: readonly string[]): Path {
  const apart = eachOf(own, values)
  const condition = sql`runs.${raw(own)} || '' in (${join(values)})`
  return { ...alongIndex, own, probes: apart, apart, condition, where: [] }
}

/** The index of a moment: runs after the first value and before the second. */
function momentPath(
  dialect: SqlDialect,
  project: Sql,
  { column, after, before }: (typeof momentFilters)[number],
  filters: Filters,
): Path {
  const [own, end] = [sql`l.${raw(column)}`, filters[before]]
  const between = (moment: Sql) =>
    sql`${moment} > ${filters[after] ?? ''} ${end === undefined ? empty : sql`and ${moment} < ${end}`}`
  const found = sql`l.project_id = ${project} and ${between(own)}`
  return {
    own: after,
    covers: [],
    table: sql`runs l`,
    project: 'l.project_id',
    probes: [between(own)],
    ordered: sql`${own}, l.created_at, l.id`,
    apart: [empty],
    condition: sql`(${between(sql`runs.${raw(column)} || ''`)})`,
    from: sql`(select l.id, l.created_at from runs l where ${found} order by ${own} limit ${raw(String(few))}) l cross join runs`,
    where: [dialect.follows('runs.id', 'l.id')],
    createdAt: 'l.created_at',
    id: 'l.id',
    isUnordered: true,
  }
}

/** The index of a side table that has the project. */
function sidePath(dialect: SqlDialect, project: Sql, own: keyof Filters, table: Sql, probe: Sql): Path {
  const inProject = sql`l.project_id = ${project} and ${probe}`
  return { ...besidePath(dialect, own, table, inProject), project: 'l.project_id', probes: [probe] }
}

function besidePath(dialect: SqlDialect, own: keyof Filters, table: Sql, found: Sql): Path {
  return {
    own,
    covers: [],
    table: sql`${table} l`,
    probes: [found],
    ordered: sql`l.created_at, l.run_id`,
    apart: [empty],
    condition: existsBeside(table, found),
    // SQLite keeps the order of the tables of a cross join.
    from: sql`${table} l cross join runs`,
    where: [found, dialect.follows('runs.id', 'l.run_id')],
    createdAt: 'l.created_at',
    id: 'l.run_id',
  }
}

/** Whether a side table has such a row of a run. The offset keeps PostgreSQL from starting with that table. */
const existsBeside = (table: Sql, found: Sql) =>
  sql`exists (select 1 from ${table} l where l.run_id = runs.id and ${found} limit 1 offset 0)`

/** The walk through the runs of all projects. */
export const alongAll: IndexWalk = { from: sql`runs`, where: [sql`1 = 1`], ...byTimeEverywhere('runs') }

/** One condition for each value of a repeatable filter. */
const eachOf = (column: 'status' | 'verdict', values: readonly string[]) =>
  [...new Set(values)].map((value) => sql`runs.${raw(column)} = ${value}`)

function isLabel(label: string): Sql {
  const colon = label.indexOf(':')
  return sql`l.name = ${label.slice(0, colon)} and l.value = ${label.slice(colon + 1)}`
}
