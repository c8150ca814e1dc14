import sql from 'sql-template-tag'
import type { Store } from './open.ts'

/** Throws what a write of the database throws just now. */
export async function tryWrite({ db, now }: Store): Promise<void> {
  await db.tx((tx) =>
    tx.query(sql`insert into health (id, checked_at) values (1, ${now()})
      on conflict (id) do update set checked_at = excluded.checked_at`),
  )
}
