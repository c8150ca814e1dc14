import sql from 'sql-template-tag'
import type { Tx } from '../../engine/db.ts'
import { listOf } from '../../frame/pieces.ts'
import type { LastRun } from '../run/fields.ts'
import type { FeatureRuns } from './fields.ts'
import { totalsOf } from './totals.ts'

interface Last {
  feature_id: number
  run_id: string
  status: LastRun['status']
  verdict: LastRun['verdict']
  created_at: string
}

/** The runs that touched each of these features: their totals, and the newest. */
export async function runsTouching(db: Tx, features: number[]): Promise<Map<number, FeatureRuns>> {
  if (features.length === 0) return new Map()
  const totals = await totalsOf(db, features)
  const lasts = await db.query<Last>(sql`
    select n.feature_id, r.run_id, r.status, r.verdict, r.created_at from (
      select f.id as feature_id, (
        select l.run_id from run_features l cross join runs r
        where l.feature_id = f.id and r.id = l.run_id and r.project_id + 0 = f.project_id
        order by l.created_at desc, l.run_id desc limit 1) as run
      from features f where f.id in (${listOf(features)})) as n
    join runs r on r.id = n.run`)
  const lastOf = new Map(
    lasts.map((row): [number, LastRun] => [
      row.feature_id,
      { runId: row.run_id, status: row.status, verdict: row.verdict, createdAt: row.created_at },
    ]),
  )
  return new Map(
    features.map((id) => [
      id,
      { runs: 0, lastRun: lastOf.get(id) ?? null, costUsd: null, costed: 0, ...totals.get(id) },
    ]),
  )
}
