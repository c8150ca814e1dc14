import type { Dialect } from '../db.ts'

/**
 * The totals of the runs that touched a feature, updated with each change. Several rows may add up to one total, so
 * that servers write to separate ones.
 */
export const featureTotals = ({ integer, real, tableEnd }: Dialect): string[] => [
  `create table feature_totals (feature_id ${integer} not null, shard ${integer} not null, runs ${integer} not null,
    cost_usd ${real} not null, costed ${integer} not null, primary key (feature_id, shard)) ${tableEnd}`,
  `insert into feature_totals (feature_id, shard, runs, cost_usd, costed)
    select l.feature_id, 0, count(*), coalesce(sum(r.cost_usd), 0.0), count(r.cost_usd)
    from run_features l join runs r on r.id = l.run_id group by l.feature_id`,
]
