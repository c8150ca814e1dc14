import { setTimeout as sleep } from 'node:timers/promises'
import { startServer } from '../support/server.ts'
import { requireWhole } from './log.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf, isCutOff, readBack, startWriters, type Touched } from './writers.ts'

prove('acknowledged writes survive kill -9, and no write is stored partially', async (t, url) => {
  const touched: Touched = new Map()
  let acknowledged = 0
  let server = await startServer(t, url)
  for (let kill = 1; kill <= size(3, 500); kill++) {
    const writers = startWriters(t, clientOf(server), `kill-${kill}`, isCutOff)
    await sleep(200 + Math.random() * 300)
    await server.end('SIGKILL')
    await writers.stop()
    acknowledged += writers.acknowledged()
    server = await startServer(t, url)
    await readBack(clientOf(server), writers.touched)
    for (const [runId, states] of writers.touched) touched.set(runId, states)
  }
  await readBack(clientOf(server), touched)
  await requireWhole(clientOf(server), url)
  t.diagnostic(`${acknowledged} changes were acknowledged`)
})
