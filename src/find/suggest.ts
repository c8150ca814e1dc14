import sql, { type Sql } from 'sql-template-tag'
import type { Tx } from '../engine/db.ts'
import type { Operation } from '../frame/ctx.ts'
import { visibleProjects } from '../frame/scope.ts'
import type { Suggested } from './fields.ts'
import type { FindRoutes } from './routes.ts'

/** Throws NOT_FOUND for an unknown project. */
export const suggest: Operation<FindRoutes['suggest']> = async (ctx, { project, field, q = '', limit }) => {
  const { projects } = await visibleProjects(ctx, project)
  const part = q.toLowerCase()
  const read = async (projectId: number) => {
    const begun = await beginning(ctx.db, projectId, field, q, limit + 1)
    if (q === '') return begun
    const compared = await beginning(ctx.db, projectId, field, '', mostCompared)
    return [...begun, ...compared.filter((value) => value.toLowerCase().includes(part))]
  }
  const found = new Set((await Promise.all(projects.map(({ id }) => read(id)))).flat())
  const begins = (value: string) => value.toLowerCase().startsWith(part)
  const values = [...found].sort()
  const ordered = [...values.filter(begins), ...values.filter((value) => !begins(value))]
  return { values: ordered.slice(0, limit), meta: { hasMore: found.size > limit } }
}

/** An index finds a value only by its beginning. Of each project, we compare this many with the rest of a text. */
const mostCompared = 1000

const columns: Record<Exclude<Suggested, 'label'>, { table: Sql; column: Sql }> = {
  agent: { table: sql`runs`, column: sql`agent` },
  author: { table: sql`runs`, column: sql`author` },
  branch: { table: sql`runs`, column: sql`branch` },
  specId: { table: sql`runs`, column: sql`spec_id` },
}

/** The first values of a project that begin with `prefix`, as it is written. */
const beginning = (db: Tx, projectId: number, field: Suggested, prefix: string, limit: number) =>
  field === 'label'
    ? labelsOf(db, projectId, prefix, limit)
    : distinct(db, { ...columns[field], where: sql`project_id = ${projectId}` }, prefix, limit)

/** Labels as `name:value`. */
async function labelsOf(db: Tx, projectId: number, prefix: string, limit: number): Promise<string[]> {
  const table = sql`run_labels`
  const colon = prefix.indexOf(':')
  const names =
    colon >= 0
      ? [prefix.slice(0, colon)]
      : await distinct(db, { table, column: sql`name`, where: sql`project_id = ${projectId}` }, prefix, limit)
  const labels: string[] = []
  for (const name of names) {
    const where = sql`project_id = ${projectId} and name = ${name}`
    const begins = colon >= 0 ? prefix.slice(colon + 1) : ''
    const values = await distinct(db, { table, column: sql`value`, where }, begins, limit - labels.length)
    labels.push(...values.map((value) => `${name}:${value}`))
    if (labels.length >= limit) break
  }
  return labels
}

/** Sorts after everything that can follow a prefix, in both engines. */
const last = '\u{10ffff}'

/**
 * The first values of a column that begin with `prefix`. Each takes one lookup in the index, so the time depends on the
 * number of values, not of rows.
 */
async function distinct(
  db: Tx,
  { table, column, where }: { table: Sql; column: Sql; where: Sql },
  prefix: string,
  limit: number,
): Promise<string[]> {
  const least = (from: Sql) =>
    sql`(select min(${column}) from ${table} where ${where} and ${column} ${from} and ${column} < ${prefix + last})`
  const rows = await db.query<{ found: string }>(sql`
    with recursive values_found (found, n) as (
      select ${least(sql`>= ${prefix}`)}, 1
      union all
      select ${least(sql`> values_found.found`)}, n + 1 from values_found where found is not null and n < ${limit}
    )
    select found from values_found where found is not null`)
  return rows.map(({ found }) => found)
}
