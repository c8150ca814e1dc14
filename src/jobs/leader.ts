import { randomUUID } from 'node:crypto'
import sql from 'sql-template-tag'
import type { Db } from '../store/engine/db.ts'

/** How long a server keeps a job, in milliseconds. It renews this each time it looks for work. */
const heldMs = 180_000
const me = randomUUID()

/** Whether this server does a job for all servers: it holds the job already, or the last holder's time has expired. */
export async function isLeader(db: Db, job: string, now: string): Promise<boolean> {
  const until = new Date(Date.parse(now) + heldMs).toISOString()
  const [taken] = await db.tx((tx) =>
    tx.query(sql`
      insert into job_leaders (job, server, until) values (${job}, ${me}, ${until})
      on conflict (job) do update set server = excluded.server, until = excluded.until
        where job_leaders.server = excluded.server or job_leaders.until < ${now}
      returning job`),
  )
  return taken !== undefined
}
