import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { logOf, replay } from '../property/replayed.ts'
import { type ServerProcess, startServer } from '../support/server.ts'
import { readLog, requireWhole } from './log.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf } from './writers.ts'

const hour = 3_600_000
const day = 24 * hour

/** Preloaded into a server: its time of day, and that of the database, is off by what the environment says, and jumps at signals. */
const jumping = (by: number) =>
  `data:text/javascript,const now = Date.now; let by = Number(process.env.CLOCK_BY || 0); Date.now = () => now() + by;
process.on('SIGUSR2', () => { by = by ? 0 : ${by}; process.stderr.write('jumped') })`.replaceAll('\n', '')

const jumps = (server: ServerProcess) => server.output().split('jumped').length - 1

async function jump(server: ServerProcess) {
  const before = jumps(server)
  server.process.kill('SIGUSR2')
  while (jumps(server) === before) await sleep(10)
}

const readiness = async ({ url }: ServerProcess) =>
  ((await (await fetch(new URL('/readyz', url))).json()) as { status: string }).status

for (const by of [-2 * hour, 400 * day, -400 * day, 3_650 * day, -3_650 * day]) {
  const words = `${Math.abs(by) >= day ? `${Math.abs(by / day)} days` : '2 hours'} ${by > 0 ? 'ahead' : 'back'}`

  prove(`after the time of day jumps ${words}, in a run and across restarts, all stays`, async (t, url, engine) => {
    const isOwn = engine.name === 'sqlite'
    const env = { NODE_OPTIONS: `--import="${jumping(by)}"` }
    let server = await startServer(t, url, env)
    await clientOf(server).updateProject({ slug: 'default', retention: { contentDays: 90, runDays: 180 } })
    const kept: string[] = []
    for (let round = 1; round <= size(1, 5); round++) {
      const client = clientOf(server)
      const { run, lease } = await client.createRun({ status: 'in_progress', leaseSeconds: 60, content: 'made today' })
      kept.push(run.runId)
      await jump(server)
      const leaseToken = lease?.token as string
      await client.heartbeat({ runId: run.runId, leaseToken })
      await client.createRun({ runId: `during-${round}`, content: 'made today' })
      assert.equal(await readiness(server), isOwn ? 'degraded' : 'ok')
      await sleep(size(100, 2_000))
      await jump(server)
      await client.createRun({ runId: `after-${round}`, content: 'made today' })
      const { run: ended } = await client.updateRun({ runId: run.runId, status: 'completed', leaseToken })
      assert((ended.endedAt as string) >= (ended.startedAt as string))
      assert(Math.abs(Date.parse(ended.endedAt as string) - Date.now()) < 2 * hour + 60_000)
      await server.end('SIGTERM')

      const wrong = await startServer(t, url, { ...env, CLOCK_BY: String(by) })
      await clientOf(wrong).createRun({ runId: `wrong-${round}`, content: 'made today' })
      assert.equal(await readiness(wrong), isOwn ? 'degraded' : 'ok')
      if (isOwn) await assert.rejects(clientOf(wrong).forget({}), { code: 'CONFLICT' })
      await wrong.end(round % 2 ? 'SIGKILL' : 'SIGTERM')
      server = await startServer(t, url, env)
      for (const runId of [...kept, `during-${round}`, `after-${round}`, `wrong-${round}`]) {
        const { run: there } = await clientOf(server).getRun({ runId })
        assert.equal(there.content, 'made today', runId)
      }
      const { run: now } = await clientOf(server).createRun({ runId: `now-${round}`, content: 'made today' })
      assert(Math.abs(Date.parse(now.createdAt) - Date.now()) < 2 * hour + 60_000, now.createdAt)
    }
    const client = clientOf(server)
    await requireWhole(client, url)
    const log = await logOf(client)
    const { run } = replay(log, new Date().toISOString())
    for (const [runId, { status, startedAt, endedAt }] of Object.entries(run)) {
      assert(status !== 'completed' || (endedAt as string) >= (startedAt as string), runId)
    }
    const times = (await readLog(client)).map(({ at }) => at)
    if (by < 0) assert.deepEqual(times, [...times].sort(), 'the log does not follow a clock that is behind')
  })
}
