import sql, { join } from 'sql-template-tag'
import type { InputOf } from '../contract/route.ts'
import type { Tx } from '../engine/db.ts'
import { conditionsOf } from '../nouns/run/path.ts'
import type { FindRoutes } from './routes.ts'
import type { Row } from './wait.ts'

type RunFilters = Omit<InputOf<FindRoutes['search']>, 'project' | 'q' | 'type' | 'limit' | 'cursor'>

/** Returns the hits whose runs match the filters. */
export type Filter = (rows: Row[]) => Promise<Row[]>

/** Undefined without filters. */
export function filterOf(db: Tx, { createdAfter, createdBefore, ...filters }: RunFilters): Filter | undefined {
  const span = [
    ...(createdAfter === undefined ? [] : [sql`runs.created_at > ${createdAfter}`]),
    ...(createdBefore === undefined ? [] : [sql`runs.created_at < ${createdBefore}`]),
  ]
  if (span.length === 0 && Object.values(filters).every((value) => value === undefined)) return undefined

  const fulfilling = async (projectId: number, ids: number[]) => {
    const conditions = await conditionsOf(db, projectId, filters)
    if (!conditions) return []
    const { from, where } = db.dialect.ledBy(ids, sql`runs`, 'runs.id')
    return db.query<{ id: number }>(
      sql`select runs.id from ${from} where ${join([where, ...conditions, ...span], ' and ')}`,
    )
  }
  return async (rows) => {
    const ids = [...new Set(rows.filter(({ type }) => type === 'run').map(({ subject_id }) => subject_id))]
    if (ids.length === 0) return []
    const runs = await db.query<{ id: number; project_id: number }>(
      sql`select id, project_id from runs where id in (${join(ids)})`,
    )
    const byProject = Map.groupBy(runs, ({ project_id }) => project_id)
    const kept = await Promise.all(
      [...byProject].map(([projectId, some]) =>
        fulfilling(
          projectId,
          some.map(({ id }) => id),
        ),
      ),
    )
    const found = new Set(kept.flat().map(({ id }) => id))
    return rows.filter(({ type, subject_id }) => type === 'run' && found.has(subject_id))
  }
}
