import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { engines } from '../engines.ts'
import { startServer } from '../server.ts'
import { requireWhole } from './log.ts'
import { size } from './size.ts'
import { clientOf, noAnswer, readBack, startWriters } from './writers.ts'

/** So that checking a database whole stays short. */
const killsPerDatabase = 20

for (const engine of engines) {
  test(`what was acknowledged outlives kill -9, and nothing is there by half (${engine.name})`, async (t) => {
    let acknowledged = 0
    for (let left = size(3, 500); left > 0; left -= killsPerDatabase) {
      const url = await engine.freshUrl(t)
      let server = await startServer(t, url)
      for (let kill = 1; kill <= Math.min(left, killsPerDatabase); kill++) {
        const writers = startWriters(t, clientOf(server), `kill-${kill}`, noAnswer)
        await sleep(200 + Math.random() * 300)
        await server.end('SIGKILL')
        await writers.stop()
        acknowledged += writers.acknowledged()
        server = await startServer(t, url)
        await readBack(clientOf(server), writers.touched)
      }
      await requireWhole(clientOf(server), url)
      await server.end('SIGTERM')
    }
    t.diagnostic(`${acknowledged} changes were acknowledged`)
  })
}
