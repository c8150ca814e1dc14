import sql from 'sql-template-tag'
import type { Db, Tx } from '../engine/db.ts'

const numberedAtOnce = 1000
/** After this many events `pending_events` is vacuumed, so that it stays within a few pages. */
const vacuumedAfter = 1000

const moved = sql`subject_id, project_id, actor_id, is_append, imported, type, subject, at, changes`

/**
 * Numbers the events that have become visible, in the order of their ids. Only one transaction across all servers does
 * this at a time, and it looks only once it is alone, so no later event gets a lower number. If commits follow the
 * order of ids anyway, there is nothing to do.
 */
export async function numberEvents(db: Tx): Promise<void> {
  if (db.dialect.commitsInOrder) return
  let numbered = numberedAtOnce
  while (numbered === numberedAtOnce) {
    const [waiting] = await db.query(sql`select 1 as one from pending_events where ${db.dialect.isWritable} limit 1`)
    if (!waiting) return
    numbered = await db.tx(async (tx) => {
      await tx.query(sql`select pg_advisory_xact_lock(7239450183)`)
      const rows = await tx.query(sql`
        with moved as (
          delete from pending_events where ctid = any(array(
            select ctid from pending_events order by id limit ${numberedAtOnce})) returning *
        )
        insert into events (seq, ${moved})
        select row_number() over (order by id) + (select coalesce(max(seq), 0) from events), ${moved} from moved
        returning 1 as one`)
      return rows.length
    })
  }
}

/**
 * Frees the space of numbered events for new ones. PostgreSQL itself does so at most once a minute. Readers and writers
 * are not blocked.
 */
export async function tidyNumbered(db: Db): Promise<void> {
  const [since] = await db.query<{ events: number }>(
    sql`select pg_stat_get_ins_since_vacuum('pending_events'::regclass) as events`,
  )
  if (since && since.events >= vacuumedAfter) {
    await db.query(sql`vacuum (skip_locked, truncate false) pending_events`)
  }
}
