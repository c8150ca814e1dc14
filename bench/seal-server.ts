// Conduct on SQLite that seals its log once a second instead of once a minute, so that a short round of a load includes its
// share of the sealing; with SEAL=off it never seals. `node bench/seal-server.ts FILE`.
import sql from 'sql-template-tag'
import { openStore } from '../src/operations/open.ts'
import { startJobs } from '../src/server/jobs/scheduler.ts'
import { sealJob } from '../src/server/jobs/seal.ts'
import { serve } from '../src/server/serve.ts'
import { adminKey } from './servers.ts'

const store = await openStore(`sqlite:${process.argv[2]}`, { adminKey })
const { db, now } = store
// Another server leads the job, so this server's own job does nothing.
await db.tx((tx) =>
  tx.query(sql`insert into job_leaders (job, server, until) values ('seal', 'bench', '9999-12-31T00:00:00.000Z')`),
)
const running = await serve({ store, host: '127.0.0.1', port: 0, rateLimit: 1_000_000_000 })
if (process.env.SEAL !== 'off') {
  startJobs(db, [{ ...sealJob(db, now, []), everyMs: 1_000, isExclusive: false }], now, console.error)
}
console.log(`Conduct listens on ${running.url}`)
process.on('SIGTERM', () => process.exit(0))
