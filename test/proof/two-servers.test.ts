import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import { openStore } from '../../src/operations/open.ts'
import { createApp } from '../../src/server/app.ts'
import { base, engines } from '../support/engines.ts'
import { adminKey, startServer } from '../support/server.ts'
import { readRows } from './database.ts'
import { readLog, requireWhole } from './log.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf, isTurnedAway, readBack, startWriters, type Touched } from './writers.ts'

/** The minimum number of changes by the writers of each process. */
const changes = size(60, 20_000)
const starts = size(1, 50)
const atOnce = size(3, 5)

prove('two servers and another process write to one database at the same time', async (t, url) => {
  const servers = [await startServer(t, url), await startServer(t, url)]
  const inProcess = await openInProcess(t, url)
  const writers = [...servers.map(clientOf), inProcess].map((client, n) =>
    startWriters(t, client, `process-${n}`, isTurnedAway),
  )
  for (const one of writers) await one.until(() => one.acknowledged() >= changes)
  for (const one of writers) await one.stop()

  const all: Touched = new Map()
  for (const { touched } of writers) {
    for (const [runId, states] of touched) {
      assert(!all.has(runId), `${runId} was handed out by two processes`)
      all.set(runId, states)
    }
  }
  // Servers close connections that are idle while this process is busy: unlike a writer, a reader may try again.
  const clients = [inProcess, ...servers.map(({ url }) => createClient({ url, key: adminKey }))]
  for (const client of clients) await readBack(client, all)
  await requireWhole(inProcess, url)
  const [log, ...others] = await Promise.all(clients.map(readLog))
  for (const other of others) assert.deepEqual(other, log)
  await requireCountersPast(url)
})

for (const engine of engines) {
  test(`${atOnce} servers that start together on an empty database create one key (${engine.name})`, async (t) => {
    for (let start = 0; start < starts; start++) {
      const url = await engine.freshUrl(t)
      const env = { CONDUCT_ADMIN_KEY: '', HOME: homeOf(t) }
      const servers = await Promise.all(Array.from({ length: atOnce }, () => startServer(t, url, env)))
      await sleep(20)
      const kept = servers.flatMap(
        (server) => /CONDUCT_API_KEY="\$\(cat '?([^)']+)'?\)"/.exec(server.output())?.[1] ?? [],
      )
      assert.equal(kept.length, 1)
      const key = readFileSync(kept[0] as string, 'utf8').trim()
      for (const server of servers) {
        const { keys } = await createClient({ url: server.url, key, attempts: 1 }).listKeys()
        assert.equal(keys.length, 1)
      }
      assert.deepEqual(
        await Promise.all(servers.map((server) => server.end('SIGTERM'))),
        servers.map(() => 0),
      )
    }
  })
}

function homeOf(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'conduct-home-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  return home
}

/** A client for the same database in this process, without a server. */
async function openInProcess(t: TestContext, url: string) {
  const store = await openStore(url, { adminKey })
  t.after(() => store.close())
  const app = createApp({ store, rateLimit: 0 })
  return createClient({ url: base, key: adminKey, attempts: 1, fetch: (request) => app.fetch(request) })
}

/** Asserts that the counters are above every generated number. On PostgreSQL, a failed transaction leaves a gap. */
async function requireCountersPast(url: string) {
  const counters = await readRows<{ noun: string; next: number }>(url, 'select noun, next from counters')
  const next = Object.fromEntries(counters.map((counter) => [counter.noun, Number(counter.next)]))
  const runs = await readRows<{ runId: string }>(url, `select run_id as "runId" from runs where run_id like 'RUN-%'`)
  if (url.startsWith('sqlite:')) assert.equal(next.run, runs.length + 1)
  const numbers = runs.map(({ runId }) => Number(runId.slice('RUN-'.length)))
  assert((next.run as number) > Math.max(...numbers))
  const [features] = await readRows<{ most: number }>(url, 'select max(number) as most from features')
  assert.equal(next.feature, Number(features?.most) + 1)
}
