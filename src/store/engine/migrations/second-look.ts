import sql from 'sql-template-tag'
import type { Tx } from '../db.ts'
import type { Step } from './migration.ts'

/** How many events one statement looks at. */
const batch = 5_000

/**
 * Corrects what earlier versions derived. Version 5 also marked events as appends that replaced a content and changed
 * nothing else. Totals had lost the last digits of costs.
 */
export const secondLook = (): Step[] => [unmarkReplacements, ...totals]

/** The log has the digest of a whole content only where it was replaced. */
async function unmarkReplacements(tx: Tx, progress: (done: number, of: number) => void) {
  const [last] = await tx.query<{ last: number | null }>(sql`select max(seq) as last from events`)
  const end = last?.last ?? 0
  for (let from = 0; from < end; from += batch) {
    await tx.query(sql`update events set is_append = 0
      where seq > ${from} and seq <= ${from + batch} and is_append = 1 and type = 'run.updated'
        and changes like '{"content":[{"bytes":%},{"bytes":%,"sha256":%}]}'`)
    progress(Math.min(from + batch, end), end)
  }
}

/** The sum of a column of costs, in whole billionths of a dollar. */
const costOf = (column: string) => `coalesce(sum(floor(${column} * 1e9 + 0.5)), 0.0) / 1e9`

const totals = [
  'delete from spec_totals',
  `insert into spec_totals (project_id, spec_id, status, verdict, shard, runs, attempts, input_tokens, output_tokens,
      cache_read_tokens, cache_write_tokens, cost_usd, costed)
    select project_id, spec_id, status, verdict, 0, count(*), count(retry_of), coalesce(sum(input_tokens), 0),
      coalesce(sum(output_tokens), 0), coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_tokens), 0),
      ${costOf('cost_usd')}, count(cost_usd)
    from runs where spec_id is not null group by project_id, spec_id, status, verdict`,
  'delete from feature_totals',
  `insert into feature_totals (feature_id, shard, runs, cost_usd, costed)
    select l.feature_id, 0, count(*), ${costOf('r.cost_usd')}, count(r.cost_usd)
    from run_features l join runs r on r.id = l.run_id group by l.feature_id`,
]
