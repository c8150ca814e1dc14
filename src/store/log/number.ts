import sql from 'sql-template-tag'
import type { Tx } from '../engine/db.ts'

const numberedAtOnce = 1000

/**
 * Numbers the events that became visible since the last time, in the order of their ids. Only one transaction of all
 * servers does so at a time, and it looks only once it is alone: so a number, once given, never has a lower one come
 * after it. Where commits come in order anyway, there is nothing to do.
 */
export async function numberEvents(db: Tx): Promise<void> {
  if (db.dialect.commitsInOrder) return
  let numbered = numberedAtOnce
  while (numbered === numberedAtOnce) {
    const [waiting] = await db.query(sql`select 1 as one from events where seq is null limit 1`)
    if (!waiting) return
    numbered = await db.tx(async (tx) => {
      await tx.query(sql`select pg_advisory_xact_lock(7239450183)`)
      const rows = await tx.query(sql`
        with batch as (
          select id, row_number() over (order by id) as n
          from (select id from events where seq is null order by id limit ${numberedAtOnce}) as unnumbered
        )
        update events set seq = batch.n + (select coalesce(max(seq), 0) from events) from batch where events.id = batch.id
        returning 1 as one`)
      return rows.length
    })
  }
}
