import { randomUUID } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Db } from '../../engine/db.ts'

/** How long a server keeps a job, in milliseconds. It renews this each time it looks for work. */
const heldMs = 180_000
/** A lease that ends later than this from now was taken by a server whose clock was ahead. */
const mostMs = 2 * heldMs
const me = randomUUID()

/** Whether this server does a job for all servers: it holds the job already, or the last holder's time has expired. */
export async function isLeader(db: Db, job: string, now: string): Promise<boolean> {
  const [until, latest] = [heldMs, mostMs].map((ms) => new Date(Date.parse(now) + ms).toISOString())
  const [taken] = await db.tx((tx) =>
    tx.query(sql`
      insert into job_leaders (job, server, until) values (${job}, ${me}, ${until})
      on conflict (job) do update set server = excluded.server, until = excluded.until
        where job_leaders.server = excluded.server or job_leaders.until < ${now} or job_leaders.until > ${latest}
      returning job`),
  )
  return taken !== undefined
}

/** Gives up the jobs of this server, so that its next start, or another server, need not wait until its leases expire. */
export const resign = (db: Db): Promise<unknown> =>
  db.tx((tx) => tx.query(sql`delete from job_leaders where server = ${me}`))
