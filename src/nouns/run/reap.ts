import sql from 'sql-template-tag'
import type { Tx } from '../../engine/db.ts'
import { systemCtx } from '../../frame/ctx.ts'
import { latestExpiry } from './lease.ts'
import { columns, type RunRow } from './row.ts'
import { isLapsed, lapse } from './take-lease.ts'

const reapedAtOnce = 100

/**
 * Fails runs whose leases expired before `now`, or were granted while the clock was far ahead, a limited number at a time. Any server does this for all; if two meet,
 * one of them acts. Returns whether there may be more.
 */
export async function reap(db: Tx, now: string): Promise<boolean> {
  const lapsed = await db.query<{ id: number }>(sql`
    select id from runs where lease_expires_at <= ${now} order by lease_expires_at limit ${reapedAtOnce}`)
  const early = await db.query<{ id: number }>(sql`
    select id from runs where lease_expires_at > ${latestExpiry(now)} limit ${reapedAtOnce - lapsed.length}`)
  lapsed.push(...early)
  await Promise.all(lapsed.map(({ id }) => db.tx((tx) => reapOne(tx, id, now))))
  return lapsed.length === reapedAtOnce
}

async function reapOne(db: Tx, id: number, now: string) {
  const [row] = await db.query<RunRow>(sql`select ${columns} from runs where runs.id = ${id} ${db.dialect.forUpdate}`)
  if (!row || !isLapsed(row, now)) return
  await lapse(systemCtx(db, now, row.project_id), row)
}
