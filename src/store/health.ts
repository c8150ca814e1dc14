import sql from 'sql-template-tag'
import type { Store } from './open.ts'

/** What SQLite finds damaged in its file; nothing where it is whole, or where the database is PostgreSQL. Reads the whole file. */
export async function damages({ db }: Store, url: string): Promise<string[]> {
  if (!url.startsWith('sqlite:')) return []
  const rows = await db.query<{ quick_check: string }>(sql`pragma quick_check`)
  return rows.map(({ quick_check }) => quick_check).filter((text) => text !== 'ok')
}

/** Throws what a write of the database throws just now, or the damage that was found in it. */
export async function tryWrite({ db, now }: Store): Promise<void> {
  const fault = db.fault()
  if (fault) throw fault
  await db.tx((tx) =>
    tx.query(sql`insert into health (id, checked_at) values (1, ${now()})
      on conflict (id) do update set checked_at = excluded.checked_at`),
  )
}
