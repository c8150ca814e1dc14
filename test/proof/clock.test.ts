import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { startServer } from '../support/server.ts'
import { readLog } from './log.ts'
import { prove } from './prove.ts'
import { clientOf } from './writers.ts'

/** Makes the time of day jump two hours back at SIGUSR2. */
const jumping = `data:text/javascript,const now = Date.now; let by = 0; Date.now = () => now() - by;
process.on('SIGUSR2', () => { by = 7200e3; process.stderr.write('jumped') })`.replaceAll('\n', '')

prove('after the time of day jumps back two hours, nothing ends before it began', async (t, url) => {
  const server = await startServer(t, url, { NODE_OPTIONS: `--import="${jumping}"` })
  const client = clientOf(server)
  const { run, lease } = await client.createRun({ status: 'in_progress', leaseSeconds: 60 })
  server.process.kill('SIGUSR2')
  while (!server.output().includes('jumped')) await sleep(10)
  await client.heartbeat({ runId: run.runId, leaseToken: lease?.token as string })
  await client.createRun({ runId: 'after' })
  const { run: ended } = await client.updateRun({
    runId: run.runId,
    status: 'completed',
    leaseToken: lease?.token as string,
  })
  assert((ended.endedAt as string) >= (ended.startedAt as string))
  const times = (await readLog(client)).map(({ at }) => at)
  assert.deepEqual(times, [...times].sort())
})
