import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import sql from 'sql-template-tag'
import { createClient } from '../../src/client/client.ts'
import { latestVersion, schema } from '../../src/engine/migrations/schema.ts'
import { openStore, type Store } from '../../src/operations/open.ts'
import { createApp } from '../../src/server/app.ts'
import { readRows } from '../proof/database.ts'
import { type Engine, engines, testOn } from '../support/engines.ts'
import { startServer } from '../support/server.ts'
import { type Answers, answersOf } from './answers.ts'
import { folder, loadDump } from './dump.ts'
import type { Story } from './populate.ts'
import { adminKey, base } from './teller.ts'
import { withChangedVerdicts } from './verdicts.ts'

const versions = globSync('v*.json', { cwd: folder })
  .map((name) => Number(/\d+/.exec(name)))
  .sort((a, b) => a - b)

function made(version: number): { story: Story; answers: Answers } {
  const { story, answers } = JSON.parse(readFileSync(join(folder, `v${version}.json`), 'utf8'))
  return { story, answers: withChangedVerdicts(version, answers) }
}

/** The URL of a database with the rows of that version, as the code of that version left them. */
async function loaded(t: TestContext, engine: Engine, version: number): Promise<string> {
  const url = await engine.freshUrl(t)
  await loadDump(url, version)
  return url
}

/** Opens a ledger with today's code, at the time when the story of its version ended. */
async function opened(t: TestContext, url: string, { endedAt }: Story) {
  const faults: Error[] = []
  const store = await openStore(url, { now: () => Date.parse(endedAt), warn: (error) => faults.push(error) })
  t.after(async () => {
    await store.close()
    assert.deepEqual(faults, [])
  })
  return { store, ...doorsOf(store) }
}

function doorsOf(store: Store) {
  const app = createApp({ store, rateLimit: 0 })
  const clientOf = (project?: string, key = adminKey) =>
    createClient({
      url: base,
      key,
      attempts: 1,
      fetch: (request) => app.fetch(request),
      ...(project !== undefined && { project }),
    })
  return { app, clientOf, client: clientOf() }
}

/** Each use of a key changes its last use. */
const moving = new Set(['lastUsedAt'])

/** Asserts that `actual` has all values of `expected`. Additional fields are allowed. */
function assertKept(actual: unknown, expected: unknown, place: string): void {
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(actual), `${place} is no list any more`)
    assert.equal(actual.length, expected.length, `${place}: so many`)
    for (const [index, item] of expected.entries()) assertKept(actual[index], item, `${place}[${index}]`)
  } else if (typeof expected === 'object' && expected !== null) {
    assert.ok(typeof actual === 'object' && actual !== null, `${place} is gone`)
    for (const [field, value] of Object.entries(expected)) {
      if (!moving.has(field)) assertKept((actual as Record<string, unknown>)[field], value, `${place}.${field}`)
    }
  } else if (!isUnknownNow(actual, expected, place)) {
    assert.deepEqual(actual, expected, place)
  }
}

/** Earlier versions returned 0 for a total that no run reports. */
const isUnknownNow = (actual: unknown, expected: unknown, place: string) =>
  actual === null && expected === 0 && /\.totals\.(?:\w+Tokens|costUsd)$/.test(place)

/** A migration may add events, but may not change or remove any. */
function assertAnswersKept(now: Answers, before: Answers): void {
  assertKept({ ...now, events: now.events.slice(0, before.events.length) }, before, 'ledger')
}

test('there is a dump of each version that a release wrote', () => {
  assert.deepEqual(versions, [...Object.keys(schema.earlier).map(Number), schema.first])
})

type Opened = Awaited<ReturnType<typeof opened>>

async function returnsRows({ clientOf, store }: Opened, answers: Answers) {
  assertAnswersKept(await answersOf(clientOf), answers)
  const [row] = await store.db.query<{ version: number }>(sql`select max(version) as version from schema_versions`)
  assert.equal(row?.version, latestVersion)
}

async function findsWords({ clientOf, client }: Opened, story: Story) {
  for (const { q, project, type, subject } of story.words) {
    const { results } = await client.search({ q })
    assert.deepEqual(
      results.map((one) => [one.project, one.type, one.subject]),
      [[project, type, subject]],
      q,
    )
  }
  assert.deepEqual((await client.search({ q: 'verwehtwort' })).results, [], 'the run of that word was deleted')
  await clientOf('shop').updateRun({ runId: 'FULL', title: 'Neuwort' })
  for (const q of ['neuwort', 'nurladenwort']) assert.equal((await client.search({ q })).results.length, 1, q)
}

async function goesOn(it: Opened, story: Story, answers: Answers) {
  await knowsPeople(it, story)
  const { client } = it
  const { name, input, idempotencyKey, runId } = story.replay
  assert.equal((await client[name](input, { idempotencyKey })).run.runId, runId, 'not carried out again')
  const known = new Set(answers.runs.map(({ listed }) => (listed as { id: number }).id))
  const { run } = await client.createRun({})
  assert.ok(!known.has(run.id) && run.id > Math.max(...known))
  await client.appendToRun({ runId: 'LONG', text: 'more' })
  await client.createCheck({ runId: 'FULL', result: 'pass' })
  const { feature } = await client.createFeature({ name: 'brand-new' })
  assert.ok(feature.id > 4, 'the number of a deleted feature is not given again')
  for (const runId of ['CHANGED', 'FULL', 'LONG']) {
    await client.deleteRun({ runId })
    await assert.rejects(client.getRun({ runId }), { code: 'NOT_FOUND' })
  }
}

/** Keys, sessions and leases still belong to their owners. */
async function knowsPeople({ app, clientOf, client }: Opened, story: Story) {
  const { ada, gone, reader } = story.secrets
  assert.equal((await clientOf(undefined, ada).me()).key?.name, 'ada')
  await assert.rejects(clientOf(undefined, gone).me(), { code: 'UNAUTHORIZED' })
  await assert.rejects(clientOf(undefined, reader).createRun({}), { code: 'FORBIDDEN' })
  if (story.cookie) {
    const me = await app.fetch(new Request(`${base}/v1/auth/me`, { headers: { cookie: story.cookie } }))
    assert.equal(me.status, 401, 'a session without a token logs in again')
  }
  if (story.lease) {
    const { runId, token } = story.lease
    await assert.rejects(client.heartbeat({ runId }), { code: 'LEASE_HELD' })
    const { run } = await clientOf(undefined, ada).heartbeat({ runId, leaseToken: token })
    assert.equal(run.status, 'in_progress')
  }
}

for (const engine of engines) {
  for (const version of versions) {
    const { story, answers } = made(version)
    const of = `of version ${version} (${engine.name})`

    test(`a ledger ${of}`, async (t) => {
      const it = await opened(t, await loaded(t, engine, version), story)
      await t.test('returns every row', () => returnsRows(it, answers))
      await t.test('finds its old words and new ones', () => findsWords(it, story))
      await t.test('continues with its keys, sessions, leases and numbers', () => goesOn(it, story, answers))
    })

    test(`two servers that start at once serve a ledger ${of}`, async (t) => {
      const url = await loaded(t, engine, version)
      const both = await Promise.all([opened(t, url, story), opened(t, url, story)])
      for (const { clientOf } of both) assertAnswersKept(await answersOf(clientOf), answers)
      const names = ['LEFT', 'RIGHT']
      await Promise.all(
        both.map(({ client }, index) => client.createRun({ runId: names[index], content: 'beideworte' })),
      )
      for (const { client } of both) {
        const { results } = await client.search({ q: 'beideworte' })
        assert.deepEqual(results.map(({ subject }) => subject).sort(), names)
      }
    })
  }

  test(`two processes that start at once serve a ledger of version 4 (${engine.name})`, async (t) => {
    const url = await loaded(t, engine, 4)
    const env = { CONDUCT_ADMIN_KEY: adminKey }
    const servers = await Promise.all([startServer(t, url, env), startServer(t, url, env)])
    const { answers } = made(4)
    const clients = servers.map(({ url }) => createClient({ url, key: adminKey }))
    for (const [index, client] of clients.entries()) await client.createRun({ runId: `PROCESS-${index}` })
    for (const client of clients) {
      const rows = await Array.fromAsync(client.all('listRuns', { project: ['default', 'shop'], limit: 100 }))
      assert.equal(rows.length, answers.runs.length + clients.length)
    }
  })
}

/** Changes of a content, as versions up to 4 recorded them: only a whole content has a digest. */
const whole = (bytes: number) => `{"bytes":${bytes},"sha256":"${'0'.repeat(64)}"}`
const early = {
  replaced: `{"content":[${whole(24)},${whole(30)}]}`,
  appended: `{"content":[${whole(30)},{"bytes":40}]}`,
}

for (const engine of engines) {
  test(`an upgrade from version 4 does not take a new content for an append (${engine.name})`, async (t) => {
    const { story } = made(4)
    const url = await loaded(t, engine, 4)
    const [run] = await readRows<{ id: number }>(url, "select id from runs where run_id = 'CHANGED'")
    const [last] = await readRows<{ seq: number }>(url, 'select max(seq) as seq from events')
    for (const [n, changes] of [early.replaced, early.appended].entries()) {
      await readRows(
        url,
        `insert into events (seq, project_id, type, subject, subject_id, at, changes, actor) values
          (${Number(last?.seq) + 1 + n}, 1, 'run.updated', 'CHANGED', ${run?.id}, '${story.endedAt}', '${changes}', '{"kind":"local"}')`,
      )
    }
    const { client } = await opened(t, url, story)
    const { timeline } = await client.timeline({ runId: 'CHANGED' })
    const [replaced, appended] = timeline.slice(-2)
    assert.deepEqual(
      [replaced?.kind === 'event' && replaced.event.changes, appended?.kind === 'appends' && appended.appends],
      [JSON.parse(early.replaced), 1],
    )
  })
}

testOn('postgres', 'events of version 4 without a number follow the others, in order', async (postgres, t) => {
  const { story, answers } = made(4)
  const url = await loaded(t, postgres, 4)
  const subjects = ['first', 'second', 'third']
  for (const subject of subjects) {
    await readRows(
      url,
      `insert into events (project_id, type, subject, subject_id, actor, at, changes)
        values (null, 'key.updated', '${subject}', 1, '{"kind":"system"}', '2026-11-20T09:00:00.000Z', '{}')`,
    )
  }
  const { client } = await opened(t, url, story)
  const { events } = await client.listEvents({ order: 'desc', limit: 4 })
  const last = answers.events.length
  assert.deepEqual(
    events
      .map(({ seq, subject }) => [seq, subject])
      .reverse()
      .slice(1),
    subjects.map((subject, n) => [last + 1 + n, subject]),
  )
  assert.equal(events.at(-1)?.seq, last)
})
