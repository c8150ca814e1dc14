import type { Dialect } from '../db.ts'

/**
 * What keeps reading fast in a ledger of any size: totals of the runs that touched a feature, and the vocabulary of the
 * index of words. Several rows of totals may add up to one, so that servers write to separate ones.
 */
export const growth = ({ integer, real, tableEnd, vocabulary }: Dialect): string[] => [
  `create table feature_totals (feature_id ${integer} not null, shard ${integer} not null, runs ${integer} not null,
    cost_usd ${real} not null, costed ${integer} not null, primary key (feature_id, shard)) ${tableEnd}`,
  `insert into feature_totals (feature_id, shard, runs, cost_usd, costed)
    select l.feature_id, 0, count(*), coalesce(sum(r.cost_usd), 0.0), count(r.cost_usd)
    from run_features l join runs r on r.id = l.run_id group by l.feature_id`,
  ...vocabulary('search_words'),
]
