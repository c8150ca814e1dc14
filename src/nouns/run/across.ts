import sql, { join, raw } from 'sql-template-tag'
import type { PageInput } from '../../contract/field.ts'
import type { Tx } from '../../engine/db.ts'
import { boundAfter, type Span, type Walk } from '../../frame/page.ts'
import { alongAll, alongRuns, conditionsBy, type Filters, few, pathsOf, uncovered } from './path.ts'

// Walks through the runs of many projects, whose cost hardly depends on the number of projects.

/** In as few projects as this, a walk through each of them costs no more. */
export const fewProjects = 20

const project = sql`runs.project_id`

/**
 * A walk through the runs of all projects, at most that many of them, for a page of those that match. `isWhole` says
 * whether there are no more. Undefined for a commit, which few runs have.
 */
export async function amongFirst(db: Tx, filters: Filters, page: PageInput & Span, count: number) {
  if (filters.commit !== undefined) return undefined
  const bound = await boundAfter(db, alongAll, page, count)
  const conditions = conditionsBy(pathsOf(db.dialect, project, filters, []), filters)
  const walk: Walk = { ...alongAll, where: [...(bound ? [bound] : []), ...conditions] }
  return { walk, isWhole: bound === undefined }
}

/** The matching runs of these projects, if one of the filters finds few runs in all of them; undefined if none does. */
export async function amongFew(db: Tx, projects: number[], filters: Filters): Promise<Walk | undefined> {
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
