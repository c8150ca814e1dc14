import sql, { join, raw } from 'sql-template-tag'
import type { FeatureRuns } from '../../api/feature.ts'
import type { LastRun } from '../../api/run.ts'
import type { Tx } from '../engine/db.ts'

/** The cost of a feature covers this many of its newest runs. */
const costed = 100

interface Count {
  feature_id: number
  runs: number
}

interface Cost {
  feature_id: number
  cost_usd: number | null
}

interface Last {
  feature_id: number
  run_id: string
  status: LastRun['status']
  verdict: LastRun['verdict']
  created_at: string
}

const untouched: FeatureRuns = { runs: 0, lastRun: null, costUsd: null }

/** The totals of the runs that touched each of these features, in three queries along their index. */
export async function runsTouching(db: Tx, features: number[]): Promise<Map<number, FeatureRuns>> {
  if (features.length === 0) return new Map()
  const newest = (id: number, columns: string, limit: number) => sql`
    select ${raw(String(id))} as feature_id, ${raw(columns)} from run_features l cross join runs r
    where l.feature_id = ${id} and r.id = l.run_id order by l.created_at desc, l.run_id desc limit ${raw(String(limit))}`
  const each = (select: (id: number) => ReturnType<typeof newest>) =>
    join(
      features.map((id) => sql`select * from (${select(id)}) as one`),
      ' union all ',
    )
  const counts = await db.query<Count>(sql`
    select feature_id, count(*) as runs from run_features where feature_id in (${join(features)}) group by feature_id`)
  const lasts = await db.query<Last>(each((id) => newest(id, 'r.run_id, r.status, r.verdict, r.created_at', 1)))
  const costs = await db.query<Cost>(sql`
    select feature_id, sum(cost_usd) as cost_usd from (${each((id) => newest(id, 'r.cost_usd', costed))}) as newest
    group by feature_id`)
  const found = new Map(counts.map(({ feature_id, runs }) => [feature_id, { ...untouched, runs }]))
  const add = (id: number, fields: Partial<FeatureRuns>) =>
    found.set(id, { ...(found.get(id) ?? untouched), ...fields })
  for (const { feature_id, cost_usd } of costs) {
    add(feature_id, { costUsd: cost_usd === null ? null : Number(cost_usd.toPrecision(12)) })
  }
  for (const { feature_id, run_id, status, verdict, created_at } of lasts) {
    add(feature_id, { lastRun: { runId: run_id, status, verdict, createdAt: created_at } })
  }
  return new Map(features.map((id) => [id, found.get(id) ?? untouched]))
}
