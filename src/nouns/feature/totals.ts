import sql, { raw, type Sql } from 'sql-template-tag'
import type { Tx } from '../../engine/db.ts'
import { sumOfCosts, wholeCostOf } from '../../frame/cost.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { listOf } from '../../frame/pieces.ts'
import { knownCost, wholeCost } from '../run/cost.ts'
import type { FeatureRuns } from './fields.ts'

/** The totals of the runs that touched a feature. */
type Totals = Pick<FeatureRuns, 'runs' | 'costUsd' | 'costed'>

/**
 * Adds links between runs and features to the totals of the features after they were inserted, or removes them before
 * they are deleted. `links` is a condition on `run_features l`.
 */
export async function countLinks(ctx: Ctx, links: Sql, times: 1 | -1): Promise<void> {
  const each = raw(String(times))
  const figures = sql`${each} * count(*), ${each} * ${sumOfCosts(sql`r.cost_usd`)}, ${each} * count(r.cost_usd)`
  await add(ctx, links, figures)
}

interface Costing {
  id: number
  cost_usd: number | null
}

/** Updates the totals of the features of a run after its cost changed. */
export async function moveCost(ctx: Ctx, before: Costing, after: Costing): Promise<void> {
  if (before.cost_usd === after.cost_usd) return
  const cost = wholeCost(after.cost_usd ?? 0) - wholeCost(before.cost_usd ?? 0)
  const costed = Number(after.cost_usd !== null) - Number(before.cost_usd !== null)
  const figures = sql`0, cast(${cost} as double precision), ${raw(String(costed))}`
  await add(ctx, sql`l.run_id = ${before.id}`, figures)
}

/** All callers use the same order of features, so that two transactions cannot deadlock. */
async function add({ db }: Ctx, links: Sql, figures: Sql): Promise<void> {
  await db.query(sql`
    insert into feature_totals (feature_id, shard, runs, cost_usd, costed)
    select l.feature_id, ${raw(String(db.dialect.shard))}, ${figures}
    from run_features l join runs r on r.id = l.run_id where ${links} group by l.feature_id order by l.feature_id
    on conflict (feature_id, shard) do update set runs = feature_totals.runs + excluded.runs,
      cost_usd = ${wholeCostOf(sql`feature_totals.cost_usd + excluded.cost_usd`)},
      costed = feature_totals.costed + excluded.costed`)
}

/** The totals of those of these features that a run has ever touched. */
export async function totalsOf(db: Tx, features: number[]): Promise<Map<number, Totals>> {
  const rows = await db.query<{ feature_id: number; runs: number; cost_usd: number; costed: number }>(sql`
    select feature_id, cast(sum(runs) as ${raw(db.dialect.integer)}) as runs, sum(cost_usd) as cost_usd,
      cast(sum(costed) as ${raw(db.dialect.integer)}) as costed
    from feature_totals where feature_id in (${listOf(features)}) group by feature_id`)
  return new Map(
    rows.map(({ feature_id, runs, cost_usd, costed }) => [
      feature_id,
      { runs, costUsd: knownCost(cost_usd, costed), costed },
    ]),
  )
}
