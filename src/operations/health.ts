import sql from 'sql-template-tag'
import type { Store } from './open.ts'

/** The damage that SQLite finds in its file; empty if there is none, or on PostgreSQL. Reads the whole file. */
export async function damages({ db }: Store, url: string): Promise<string[]> {
  if (!url.startsWith('sqlite:')) return []
  const rows = await db.query<{ quick_check: string }>(sql`pragma quick_check`)
  return rows.map(({ quick_check }) => quick_check).filter((text) => text !== 'ok')
}

/** Throws the error of a write, or the damage found during it. */
export async function tryWrite({ db, now }: Store): Promise<void> {
  const fault = db.fault()
  if (fault) throw fault
  await db.tx((tx) =>
    tx.query(sql`insert into health (id, checked_at) values (1, ${now()})
      on conflict (id) do update set checked_at = excluded.checked_at`),
  )
}
