import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { Tx } from '../engine/db.ts'
import { searchable } from '../find/fields.ts'
import { sumOfCosts } from '../frame/cost.ts'
import { gramWords } from '../frame/part.ts'

const rowsAtOnce = 1000

/**
 * Computes what is derived from the rows of a ledger: totals, the index for parts of titles, and entries that wait for
 * the index of words.
 */
export async function deriveAll(tx: Tx): Promise<void> {
  await tx.query(sql`
    insert into spec_totals (project_id, spec_id, status, verdict, shard, runs, attempts, input_tokens, output_tokens,
      cache_read_tokens, cache_write_tokens, cost_usd, costed)
    select project_id, spec_id, status, verdict, 0, count(*), count(retry_of), coalesce(sum(input_tokens), 0),
      coalesce(sum(output_tokens), 0), coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_tokens), 0),
      ${sumOfCosts(sql`cost_usd`)}, count(cost_usd)
    from runs where spec_id is not null group by project_id, spec_id, status, verdict`)
  await tx.query(sql`
    insert into feature_totals (feature_id, shard, runs, cost_usd, costed)
    select l.feature_id, 0, count(*), ${sumOfCosts(sql`r.cost_usd`)}, count(r.cost_usd)
    from run_features l join runs r on r.id = l.run_id group by l.feature_id`)
  await fillGrams(tx, 'spec', sql`coalesce(title, '')`)
  await fillGrams(tx, 'feature', sql`name || '\n' || coalesce(description, '')`)
  const subjects = searchable.map((type) => sql`select ${type} as type, id, created_at from ${raw(`${type}s`)}`)
  await tx.query(sql`insert into search_entries (type, subject_id)
    select type, id from (${join(subjects, ' union all ')}) as subjects order by created_at, id`)
  await tx.query(sql`insert into followers (name, last_seq) select 'search', coalesce(max(seq), 0) from events`)
}

async function fillGrams(tx: Tx, noun: 'spec' | 'feature', text: Sql): Promise<void> {
  for (let last = 0; ; ) {
    const rows = await tx.query<{ id: number; project_id: number; text: string }>(sql`
      select id, project_id, ${text} as text from ${raw(`${noun}s`)} where id > ${last} order by id limit ${rowsAtOnce}`)
    for (const { id, project_id, text } of rows) {
      const words = tx.dialect.words(gramWords(project_id, text))
      await tx.query(sql`insert into ${raw(`${noun}_grams`)} (rowid, words) values (${id}, ${words})`)
    }
    last = rows.at(-1)?.id ?? last
    if (rows.length < rowsAtOnce) return
  }
}
