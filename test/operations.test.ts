import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { backupName, readKeep } from '../src/engine/sqlite/backups.ts'
import { reap } from '../src/nouns/run/take-lease.ts'
import { createApp } from '../src/server/app.ts'
import { freshFolder } from './cli/folder.ts'
import { root } from './support/built.ts'
import { type Ledger, testLedger } from './support/engines.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const bindings = { incoming: { socket: { remoteAddress: '127.0.0.1' } } }

/** Scrapes the metrics of a server of that ledger, which backs up to that folder. */
function scraped({ store, url }: Ledger, folder: string) {
  const app = createApp({ store, backups: { folder, path: url, keep: readKeep('1h') } })
  /** The metrics. A scrape that takes a second may lack what the database has not returned by then, and is repeated. */
  const scrape = async () => {
    const end = performance.now() + 20_000
    for (;;) {
      const asked = performance.now()
      const text = await (await app.fetch(new Request('http://localhost/metrics'), bindings)).text()
      if (performance.now() - asked < 900 || asked > end) return text
    }
  }
  /** The value of each series. */
  const values = async () =>
    new Map(
      (await scrape()).split('\n').flatMap((line) => {
        const [, series = '', value] = /^(\w+(?:\{.*\})?) (\S+)$/.exec(line) ?? []
        return value === undefined ? [] : [[series, Number(value)] as const]
      }),
    )
  return { app, scrape, values }
}

testLedger('the metrics count how runs begin and end', async (ledger, t) => {
  const { client, store, advance } = ledger
  const { values } = scraped(ledger, freshFolder(t))
  await client.createRun({ runId: 'before', status: 'failed', failure: { code: 'X', message: 'x' } })
  const before = await values()
  assert.equal(before.get('conduct_runs_live'), 0)
  assert.equal(before.get('conduct_runs_ended_total{status="failed"}'), 0)
  await client.createRun({ runId: 'live', status: 'in_progress' })
  await client.createRun({ runId: 'done', status: 'completed', title: '"status":["in_progress","failed"]' })
  await client.createRun({ runId: 'lost', status: 'in_progress', leaseSeconds: 30 })
  await client.createRun({ runId: 'wrong', status: 'in_progress' })
  await client.updateRun({ runId: 'wrong', status: 'failed', failure: { code: 'X', message: 'x' } })
  assert.equal((await values()).get('conduct_runs_live'), 2)
  advance(31_000)
  await reap(store.db, store.now())
  const { events } = await client.listEvents({ order: 'desc', limit: 1 })
  const after = await values()
  assert.equal(after.get('conduct_runs_live'), 1)
  assert.equal(after.get('conduct_runs_lapsed'), 0)
  assert.equal(after.get('conduct_runs_ended_total{status="completed"}'), 1)
  assert.equal(after.get('conduct_runs_ended_total{status="failed"}'), 2)
  assert.equal(after.get('conduct_runs_lease_lost_total'), 1)
  assert.equal(after.get('conduct_log_events'), events[0]?.seq)
  assert.equal(after.get('conduct_log_last_event_timestamp_seconds'), Date.parse(events[0]?.at ?? '') / 1000)
  assert.equal((await values()).get('conduct_runs_lease_lost_total'), 1, 'no event counts twice')
})

testLedger('the metrics show the database, backups and open streams', async (ledger, t) => {
  const folder = freshFolder(t)
  const { app, values } = scraped(ledger, folder)
  const before = await values()
  assert.ok((before.get('conduct_database_size_bytes') ?? 0) > 100_000)
  assert.equal(before.has('conduct_database_wal_size_bytes'), ledger.engine.name === 'sqlite')
  assert.equal(before.has('conduct_database_disk_free_bytes'), ledger.engine.name === 'sqlite')
  assert.equal(before.get('conduct_backups'), 0)
  assert.equal(before.get('conduct_backup_last_success_timestamp_seconds'), 0)
  assert.equal(before.get('conduct_backup_overdue'), 1)
  assert.equal(before.get('conduct_event_streams'), 0)
  assert.equal(before.get('conduct_requests_in_progress'), 1)
  writeFileSync(join(folder, 'conduct-20260715T120030Z.db'), 'four')
  const headers = { accept: 'text/event-stream', authorization: `Bearer ${ledger.adminKey}` }
  const stream = await app.fetch(new Request('http://localhost/conduct/v1/events', { headers }))
  const during = await values()
  assert.equal(during.get('conduct_backup_last_success_timestamp_seconds'), Date.parse('2026-07-15T12:00:30Z') / 1000)
  assert.equal(during.get('conduct_backup_last_size_bytes'), 4)
  writeFileSync(join(folder, backupName(Date.now())), '')
  assert.equal((await values()).get('conduct_backup_overdue'), 0)
  assert.equal(during.get('conduct_event_streams'), 1)
  await stream.body?.cancel()
  assert.equal((await values()).get('conduct_event_streams'), 0)
})

testLedger('a closed database leaves only the metrics of the process', async (ledger, t) => {
  const { values } = scraped(ledger, freshFolder(t))
  await ledger.store.close()
  const found = await values()
  assert.ok(found.has('process_resident_memory_bytes'))
  assert.ok(!found.has('conduct_log_events'), 'the alert on a silent database rests on that')
})

testLedger(
  'every metric is documented, and the alerts, the dashboard and the docs use only existing ones',
  async (ledger, t) => {
    const folder = freshFolder(t)
    writeFileSync(join(folder, 'conduct-20260715T120030Z.db'), '')
    const { scrape } = scraped(ledger, folder)
    await scrape()
    const known = [...(await scrape()).matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => ({
      name,
      type,
    }))
    const documented = [...read('docs/operations.md').matchAll(/^\| `(\w+)` \| (gauge|counter|histogram) \|/gm)]
    const ofSqlite = (name: string) => /_wal_size_|_disk_free_/.test(name)
    const expected = documented.map(([, name = '', type = '']) => ({ name, type }))
    const there = expected.filter(({ name }) => ledger.engine.name === 'sqlite' || !ofSqlite(name))
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
    assert.deepEqual(known.toSorted(byName), there.toSorted(byName))
    const dashboard = JSON.parse(read('deploy/grafana/conduct.json')) as Dashboard
    const shown = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    assert.ok(shown.length > 20)
    const names = new Set(expected.map(({ name }) => name))
    for (const text of [read('deploy/prometheus/conduct.rules.yml').replace(/^ +summary:.*$|^#.*$/gm, ''), ...shown]) {
      for (const [name] of text.matchAll(/\b(conduct|process|nodejs)_\w+/g)) {
        assert.ok(names.has(name.replace(/_(bucket|count|sum)$/, '')), `${name} does not exist`)
      }
    }
  },
)

interface Dashboard {
  panels: { targets: { expr: string }[] }[]
}

test('every line that the server logs is documented', () => {
  const documented = [...read('docs/operations.md').matchAll(/^\| `([^`]+)` \| (info|warn|error) \|/gm)].map(
    ([, message, level]) => `${level} ${message}`,
  )
  const sources = globSync('src/**/*.ts', { cwd: root }).map(read)
  const logged = sources.flatMap((text) =>
    [...text.matchAll(/\blog\??\.(debug|info|warn|error|fatal)\((?:\{[^}]*\}(?:, '([^']*)')?|(\w+))\)/g)].map(
      // A message that is a variable is documented by the name of the variable.
      ([, level, message, variable]) => `${level} ${message ?? (variable ? `<${variable}>` : '')}`,
    ),
  )
  const calls = sources.flatMap((text) => [...text.matchAll(/\blog\??\.(debug|info|warn|error|fatal)\(/g)])
  assert.equal(logged.length, calls.length, 'a call that this test does not understand')
  assert.deepEqual([...new Set(logged)].sort(), [...documented, 'info '].sort())
})
