import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import { createApp } from '../../src/http/app.ts'
import { openStore } from '../../src/store/open.ts'
import { base, engines } from '../support/engines.ts'
import { adminKey, startServer } from '../support/server.ts'
import { readRows } from './database.ts'
import { readLog, requireWhole } from './log.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf, readBack, startWriters, type Touched } from './writers.ts'

/** How many changes the writers of each process make at least. */
const changes = size(100, 20_000)
const starts = size(1, 50)
const noError = () => false

prove('two servers and a process of its own write to one database at once', async (t, url) => {
  const servers = [await startServer(t, url), await startServer(t, url)]
  const clients = [...servers.map(clientOf), await openInProcess(t, url)]
  const writers = clients.map((client, n) => startWriters(t, client, `process-${n}`, noError))
  for (const one of writers) await one.until(() => one.acknowledged() >= changes)
  for (const one of writers) await one.stop()

  const all: Touched = new Map()
  for (const { touched } of writers) {
    for (const [runId, states] of touched) {
      assert(!all.has(runId), `${runId} was handed out by two processes`)
      all.set(runId, states)
    }
  }
  for (const client of clients) await readBack(client, all)
  await requireWhole(clients[0] as (typeof clients)[0], url)
  const [log, ...others] = await Promise.all(clients.map(readLog))
  for (const other of others) assert.deepEqual(other, log)
  await requireCountersPast(url)
})

for (const engine of engines) {
  test(`five servers that start at once on an empty database print one key (${engine.name})`, async (t) => {
    for (let start = 0; start < starts; start++) {
      const url = await engine.freshUrl(t)
      const servers = await Promise.all(Array.from({ length: 5 }, () => startServer(t, url, { CONDUCT_ADMIN_KEY: '' })))
      await sleep(20)
      const printed = servers.flatMap((server) => /CONDUCT_API_KEY=(\S+)/.exec(server.output())?.[1] ?? [])
      assert.equal(printed.length, 1)
      for (const server of servers) {
        const { keys } = await createClient({ url: server.url, key: printed[0], attempts: 1 }).listKeys()
        assert.equal(keys.length, 1)
      }
      assert.deepEqual(await Promise.all(servers.map((server) => server.end('SIGTERM'))), [0, 0, 0, 0, 0])
    }
  })
}

/** A client over the same database in this process, without a server. */
async function openInProcess(t: TestContext, url: string) {
  const store = await openStore(url, { adminKey })
  t.after(() => store.close())
  const app = createApp({ store, rateLimit: 0 })
  return createClient({ url: base, key: adminKey, attempts: 1, fetch: (request) => app.fetch(request) })
}

/** Throws unless the counters stand past every number that was handed out. */
async function requireCountersPast(url: string) {
  const counters = await readRows<{ noun: string; next: number }>(url, 'select noun, next from counters')
  const next = Object.fromEntries(counters.map((counter) => [counter.noun, Number(counter.next)]))
  const runs = await readRows<{ runId: string }>(url, `select run_id as "runId" from runs where run_id like 'RUN-%'`)
  assert.equal(next.run, runs.length + 1)
  const [features] = await readRows<{ most: number }>(url, 'select max(number) as most from features')
  assert.equal(next.feature, Number(features?.most) + 1)
}
