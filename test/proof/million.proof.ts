import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import { latestVersion } from '../../src/engine/migrations/schema.ts'
import { engines } from '../support/engines.ts'
import { type ServerProcess, startServer } from '../support/server.ts'
import { loadDump } from '../upgrade/dump.ts'
import { type Kept, keptColumns, keptOf, renamed } from '../upgrade/kept.ts'
import { kindsOf } from '../upgrade/kinds.ts'
import { multiply, stride } from '../upgrade/multiply.ts'
import { type Place, postgresPlace, sqlitePlace } from '../upgrade/place.ts'
import { withSql } from '../upgrade/sql.ts'
import { adminKey } from '../upgrade/teller.ts'
import { readRows } from './database.ts'
import { peakOf } from './peak.ts'
import { size } from './size.ts'

const runs = size(200, 1_000_000)
const secondsSince = (started: number) => `${((performance.now() - started) / 1000).toFixed(1)} s`
const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`

/** The processor time of a server so far; nothing where the system does not tell. */
function cpuOf(pid: number): string {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
    const [user, system] = fields.split(' ').slice(11, 13).map(Number)
    return `${(((user ?? 0) + (system ?? 0)) / 100).toFixed(0)} s of the processor`
  } catch {
    return ''
  }
}

/** Within `npm test`, all wait at the same time for the minute after which the job begins. */
const together = { concurrency: size(4, 1) > 1 }

test('a ledger of each release is upgraded with all of its runs', together, async (t) => {
  const all = [4, 14].flatMap((version) => engines.map((engine) => ({ version, engine })))
  await Promise.all(
    all.map(({ version, engine }) =>
      t.test(`version ${version} (${engine.name})`, async (t) => {
        await upgrade(t, version, engine.name === 'sqlite' ? await sqlitePlace(t, engine) : await postgresPlace(t))
      }),
    ),
  )
})

async function upgrade(t: TestContext, version: number, place: Place) {
  const { url } = place
  const say = (words: string) => t.diagnostic(words)
  let started = performance.now()
  await loadDump(url, version)
  const copies = await withSql(url, (sql) => multiply(sql, version, runs))
  const columns = await withSql(url, keptColumns)
  const before = await withSql(url, (sql) => keptOf(sql, columns))
  say(
    `${before.counts.runs} runs, ${before.counts.events} events, ${megabytes(await place.bytes())}, made in ${secondsSince(started)}`,
  )

  started = performance.now()
  await place.backUp()
  say(`backed up in ${secondsSince(started)}`)

  started = performance.now()
  const server = await startServer(t, url, { CONDUCT_ADMIN_KEY: adminKey })
  const pid = server.process.pid as number
  const peak = Math.round(peakOf(pid))
  say(`migrated in ${secondsSince(started)}, ${cpuOf(pid)}, peak ${peak} MB, ${megabytes(await place.bytes())}`)
  assert.ok(peak < 250, `the migration took ${peak} MB`)

  const changed = await judged(server, url, say)
  say(`${cpuOf(pid)}, peak ${Math.round(peakOf(pid))} MB, ${megabytes(await place.bytes())}`)
  await requireListed(server, version, copies)
  assert.equal(await server.end('SIGTERM'), 0)
  const after = await withSql(url, (sql) => keptOf(sql, columns))
  requireKept(after, before, version, copies)
  assert.equal(changed, copies * changing(version).length)
  say(`${changed} changed verdicts; rows ${JSON.stringify(moves(before, after))}`)

  started = performance.now()
  await place.restore()
  say(`restored in ${secondsSince(started)}`)
  assert.deepEqual(await withSql(url, (sql) => keptOf(sql, columns)), before, 'the way back')
}

const changing = (version: number) =>
  kindsOf(version).filter(({ was, now: [verdict, evidence] }) => verdict !== 'verified' || evidence !== was)

/** Waits until every run is judged again, while it calls the server. Returns how many verdicts changed. */
async function judged(server: ServerProcess, url: string, say: (words: string) => void): Promise<number> {
  const probe = startProbe(server)
  const left = async () =>
    Number((await readRows<{ n: number }>(url, 'select count(*) as n from runs where judged = 0'))[0]?.n)
  const all = await left()
  let started = performance.now()
  while ((await left()) === all) await sleep(100)
  const waited = secondsSince(started)
  started = performance.now()
  while ((await left()) > 0) await sleep(size(100, 2_000))
  say(`judged again in ${secondsSince(started)}, begun after ${waited}; ${await probe.stop()}`)
  const [row] = await readRows<{ n: number }>(url, `select count(*) as n from runs where judged = 2 and id > ${stride}`)
  return Number(row?.n)
}

/** Calls the server all the time: whether it lives, and for lists. */
function startProbe(server: ServerProcess) {
  const client = createClient({ url: server.url, key: adminKey, attempts: 1 })
  const calls = {
    livez: async () => void (await (await fetch(new URL('/livez', server.url))).text()),
    'list of runs': async () => void (await client.listRuns({ limit: 50 })),
    'list of failing runs': async () => void (await client.listRuns({ limit: 50, verdict: ['failing'] })),
    run: async () => void (await client.getRun({ runId: 'SELF.1' })),
  }
  const times = new Map(Object.keys(calls).map((name): [string, number[]] => [name, []]))
  let isOver = false
  const done = (async () => {
    while (!isOver) {
      for (const [name, call] of Object.entries(calls)) {
        const started = performance.now()
        await call()
        times.get(name)?.push(performance.now() - started)
      }
      await sleep(50)
    }
  })()
  done.catch(() => {})
  return {
    async stop() {
      isOver = true
      await done
      return [...times]
        .map(([name, all]) => {
          const sorted = all.sort((a, b) => a - b)
          const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0)
          return `${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`
        })
        .join('; ')
    },
  }
}

/** Each changed verdict is in the log once, as a reader gets it. */
async function requireListed(server: ServerProcess, version: number, copies: number): Promise<void> {
  const client = createClient({ url: server.url, key: adminKey, attempts: 1 })
  const listed: Record<string, number> = {}
  let after = 0
  for (;;) {
    const { events, meta } = await client.listEvents({ type: ['run.rejudged'], after, limit: 100 })
    for (const { seq, subject, changes } of events) {
      const [name, copy] = subject.split('.')
      const key = `${name} ${changes.verdict?.[1] ?? 'verified'} ${changes.evidence?.[1] ?? 'executed'}`
      if (copy !== undefined) listed[key] = (listed[key] ?? 0) + 1
      after = seq
    }
    if (!meta.hasMore) break
  }
  const expected = changing(version).map(({ runId, now }) => [`${runId} ${now.join(' ')}`, copies])
  assert.deepEqual(listed, Object.fromEntries(expected))
}

function requireKept(after: Kept, before: Kept, version: number, copies: number) {
  assert.equal(after.version, latestVersion)
  assert.deepEqual(after.digests, before.digests)
  const verdicts = { ...before.verdicts }
  for (const { runId, was, now } of changing(version)) {
    assert.equal(verdicts[`1 ${runId} verified ${was}`], copies)
    delete verdicts[`1 ${runId} verified ${was}`]
    verdicts[`1 ${runId} ${now.join(' ')}`] = copies
  }
  assert.deepEqual(after.verdicts, verdicts)
  for (const table of Object.keys(before.digests)) {
    if (table !== 'events') assert.equal(after.counts[renamed(table, after.counts)], before.counts[table], table)
  }
}

const moves = ({ counts: before }: Kept, { counts: after }: Kept) =>
  Object.fromEntries(
    Object.keys({ ...before, ...after })
      .filter((table) => before[table] !== after[table])
      .map((table) => [table, `${before[table] ?? '—'} → ${after[table] ?? '—'}`]),
  )
