import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql from 'sql-template-tag'
import { createClient } from '../src/client/client.ts'
import { localActor } from '../src/contract/actor.ts'
import { checklistOf } from '../src/nouns/spec/fields.ts'
import { openStore } from '../src/operations/open.ts'
import { createApp } from '../src/server/app.ts'
import { base, testLedger } from './support/engines.ts'

testLedger('a spec keeps the content of every version', async ({ client }) => {
  const { spec } = await client.createSpec({ content: '# Log in\n\n- [x] button\n- [ ] tests' })
  assert.deepEqual(
    [spec.specId, spec.title, spec.status, spec.checklist],
    ['SPEC-001', 'Log in', 'draft', { total: 2, done: 1 }],
  )
  const second = await client.updateSpec({
    specId: 'SPEC-001',
    content: '# Log in\n\n- [x] button\n- [x] tests',
    status: 'completed',
  })
  assert.deepEqual([second.spec.version, second.spec.checklist], [2, { total: 2, done: 2 }])
  await client.updateSpec({ specId: 'SPEC-001', title: 'Sign in' })
  assert.equal((await client.updateSpec({ specId: 'SPEC-001', title: 'Sign in' })).spec.version, 3)
  const back = await client.updateSpec({ specId: 'SPEC-001', content: '# Log in\n\n- [x] button\n- [ ] tests' })
  assert.equal(back.spec.version, 4)
  const { versions } = await client.listSpecVersions({ specId: 'SPEC-001', order: 'asc' })
  assert.deepEqual(
    versions.map(({ version, title }) => [version, title]),
    [
      [1, 'Log in'],
      [2, 'Log in'],
      [3, 'Sign in'],
      [4, 'Sign in'],
    ],
  )
  const { version } = await client.getSpecVersion({ specId: 'SPEC-001', version: 2 })
  assert.match(version.content, /- \[x\] tests/)
  assert.match((await client.getSpec({ specId: 'SPEC-001' })).spec.content, /- \[ \] tests/)
  await assert.rejects(client.getSpecVersion({ specId: 'SPEC-001', version: 9 }), { code: 'NOT_FOUND' })
  await assert.rejects(client.updateSpec({ specId: 'SPEC-001', status: 'draft', ifVersion: '"1-1"' }), {
    code: 'PRECONDITION_FAILED',
  })
})

testLedger(
  'content that occurs in two versions is stored once, and deleted with the spec',
  async ({ client, store }) => {
    const sql = (await import('sql-template-tag')).default
    const bodies = async () => (await store.db.query<{ n: number }>(sql`select count(*) as n from documents`))[0]?.n
    await client.createSpec({ specId: 'S', content: 'one' })
    for (const content of ['two', 'one', 'two']) await client.updateSpec({ specId: 'S', content })
    await client.updateSpec({ specId: 'S', agent: 'me' })
    assert.equal(await bodies(), 2)
    await client.deleteSpec({ specId: 'S' })
    assert.equal(await bodies(), 0)
  },
)

testLedger('costs add up exactly, whatever came and went', async ({ client }) => {
  await client.createSpec({ specId: 'S' })
  const features = [{ name: 'auth' }]
  const totals = async () => [
    (await client.getSpec({ specId: 'S' })).spec.totals.costUsd,
    (await client.listFeatures({})).features[0]?.costUsd,
    (await client.stats()).total.costUsd,
  ]
  const costs = [0, 0.1, 0.2, 0.3, 0.0700000004, 123_456.7, 1e-9]
  for (const [n, costUsd] of costs.entries()) {
    await client.createRun({ runId: `R${n}`, specId: 'S', usage: { costUsd } })
    await client.linkFeatures({ runId: `R${n}`, features })
  }
  assert.deepEqual(await totals(), Array(3).fill(123_457.37))
  await client.updateRun({ runId: 'R3', usage: { costUsd: 0.7 } })
  for (const n of [5, 1, 2, 3, 4]) await client.deleteRun({ runId: `R${n}` })
  assert.deepEqual(await totals(), Array(3).fill(1e-9))
  await client.deleteRun({ runId: 'R6' })
  assert.deepEqual(await totals(), Array(3).fill(0))
})

testLedger('a spec has totals beyond the integers that JavaScript can hold', async ({ client, store }) => {
  await client.createSpec({ specId: 'MUCH' })
  await client.createRun({ specId: 'MUCH', usage: { inputTokens: 1e12 } })
  const times = sql`update spec_totals set input_tokens = input_tokens * 10000`
  await store.db.tx((tx) => tx.query(times))
  const { totals } = (await client.getSpec({ specId: 'MUCH' })).spec
  assert.deepEqual([totals.runs, totals.inputTokens], [1, 1e16])
})

testLedger('a run has the version of its spec, and a spec the totals of its runs', async ({ client }) => {
  await client.createRun({ runId: 'EARLY', specId: 'S' })
  await client.createSpec({ specId: 'S', content: 'one' })
  await client.createRun({ runId: 'A', specId: 'S', status: 'failed', usage: { inputTokens: 10, costUsd: 0.5 } })
  await client.updateSpec({ specId: 'S', content: 'two' })
  const { run } = await client.createRun({
    runId: 'B',
    specId: 'S',
    retryOf: 'A',
    status: 'completed',
    usage: { inputTokens: 5, outputTokens: 7 },
  })
  assert.deepEqual([run.specVersion, run.attempt, run.retryOf], [2, 2, 'A'])
  for (const name of ['a', 'b']) await client.createCheck({ runId: 'B', name, result: 'pass' })
  await client.linkFeatures({ runId: 'B', featureIds: [1, 2] })
  const { totals } = (await client.getSpec({ specId: 'S' })).spec
  assert.deepEqual(totals, {
    runs: 3,
    byStatus: { pending: 1, in_progress: 0, completed: 1, failed: 1 },
    byVerdict: { unchecked: 2, failing: 0, warned: 0, stale: 0, verified: 1 },
    attempts: 1,
    inputTokens: 15,
    outputTokens: 7,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    costUsd: 0.5,
    costed: 1,
  })
  assert.deepEqual(
    (await client.listRuns({ specId: 'S', specVersion: 1 })).runs.map(({ runId }) => runId),
    ['A'],
  )
  assert.deepEqual(
    (await client.listSpecRuns({ specId: 'S', verdict: ['verified'] })).runs.map(({ runId }) => runId),
    ['B'],
  )
  await client.updateRun({ runId: 'EARLY', specId: null })
  assert.equal((await client.updateRun({ runId: 'EARLY', specId: 'S' })).run.specVersion, 2)
  await client.deleteSpec({ specId: 'S' })
  assert.equal((await client.listSpecRuns({ specId: 'S' })).runs.length, 3, 'runs outlive their spec')
})

testLedger('a run has the version that its spec had when it began, whenever it is linked', async (ledger) => {
  const { client, advance, store } = ledger
  const minute = 60_000
  const versionOf = async (runId: string) => (await client.getRun({ runId })).run.specVersion
  const early = (await client.createRun({ runId: 'EARLY', status: 'completed' })).run
  const waiting = await client.createRun({ runId: 'WAITING' })
  assert.equal(waiting.run.startedAt, null)
  advance(minute)
  await client.createSpec({ specId: 'S', content: 'half up', createdAt: early.createdAt })
  advance(minute)
  await client.createRun({ runId: 'FIRST', status: 'completed' })
  const duringFirst = store.now()
  advance(minute)
  await client.updateSpec({ specId: 'S', content: 'half even' })
  for (const runId of ['EARLY', 'WAITING', 'FIRST']) await client.updateRun({ runId, specId: 'S' })
  assert.deepEqual(
    [await versionOf('EARLY'), await versionOf('WAITING'), await versionOf('FIRST')],
    [null, 2, 1],
    'nobody knows what an imported spec said before',
  )
  advance(minute)
  await client.updateSpec({ specId: 'S', content: 'half odd' })
  await client.updateRun({ runId: 'FIRST', title: 'No other version' })
  assert.equal(await versionOf('FIRST'), 1)
  await client.updateRun({ runId: 'WAITING', status: 'in_progress' })
  assert.equal(await versionOf('WAITING'), 3)
  const past = { specId: 'S', createdAt: duringFirst, status: 'completed' } as const
  assert.equal((await client.createRun({ ...past, runId: 'IMPORTED' })).run.specVersion, 1)
  const before = { ...past, createdAt: early.createdAt }
  assert.equal((await client.createRun({ ...before, runId: 'BEFORE' })).run.specVersion, null)
  assert.equal((await client.createRun({ specId: 'S', status: 'in_progress' })).run.specVersion, 3)
  assert.deepEqual(
    (await client.listRuns({ specId: 'S', specVersion: 1, order: 'asc' })).runs.map(({ runId }) => runId).sort(),
    ['FIRST', 'IMPORTED'],
  )
  await client.createRun({ runId: 'AHEAD', specId: 'LATER', status: 'in_progress' })
  await client.createSpec({ specId: 'LATER', content: 'written while the run went on' })
  await client.updateRun({ runId: 'AHEAD', status: 'completed' })
  assert.equal(await versionOf('AHEAD'), null, 'a spec that comes later changes no run')
})

testLedger('specs are listed by status and title', async ({ client }) => {
  await client.createSpec({ title: 'Log In', status: 'draft' })
  await client.createSpec({ title: 'Log out', status: 'archived' })
  await client.createSpec({ title: '100%', status: 'pending' })
  const titles = async (input: Parameters<typeof client.listSpecs>[0]) =>
    (await client.listSpecs(input)).specs.map(({ title }) => title)
  assert.deepEqual(await titles({ q: 'log' }), ['Log out', 'Log In'])
  assert.deepEqual(await titles({ q: '%' }), ['100%'])
  assert.deepEqual(await titles({ status: ['draft', 'pending'] }), ['100%', 'Log In'])
})

testLedger('specs are found by the beginning of their id, as it is written or in capitals', async ({ client, as }) => {
  await client.createProject({ slug: 'shop' })
  for (const [specId, title] of [
    ['PAY-001', 'Checkout by card'],
    ['PAY-002', 'Refunds'],
    ['pay-3', undefined],
    ['OTHER', 'After PAY-001'],
  ] as const) {
    await client.createSpec({ specId, title, status: specId === 'PAY-002' ? 'draft' : 'pending' })
  }
  await as({ project: 'shop' }).createSpec({ specId: 'PAY-001' })
  const ids = async (input: Parameters<typeof client.listSpecs>[0]) =>
    (await client.listSpecs(input)).specs.map(({ project, specId }) => (project === 'shop' ? `shop/${specId}` : specId))
  assert.deepEqual(await ids({ q: 'PAY-001' }), ['shop/PAY-001', 'OTHER', 'PAY-001'])
  assert.deepEqual(await ids({ q: 'pay-' }), ['shop/PAY-001', 'OTHER', 'pay-3', 'PAY-002', 'PAY-001'])
  assert.deepEqual(await ids({ q: 'pay-', status: ['draft'] }), ['shop/PAY-001', 'PAY-002'])
  assert.deepEqual(await ids({ q: 'pay-', project: ['shop'] }), ['shop/PAY-001'])
  assert.deepEqual(await ids({ q: 'AY-0', project: ['shop'] }), [])
  const { specs, meta } = await client.listSpecs({ q: 'PAY', limit: 2 })
  assert.deepEqual([specs.length, meta.hasMore], [2, true])
  await client.updateSpec({ specId: 'PAY-001', title: 'Pay' })
  assert.deepEqual(await ids({ q: 'PAY-001', project: ['default'] }), ['OTHER', 'PAY-001'])
})

testLedger('a run is retried only within its project', async ({ client, as }) => {
  await client.createProject({ slug: 'shop' })
  await as({ project: 'shop' }).createRun({ runId: 'A' })
  await assert.rejects(client.createRun({ retryOf: 'A' }), { code: 'NOT_FOUND' })
  await client.createRun({ runId: 'A' })
  await client.createRun({ runId: 'B', retryOf: 'A' })
  const { run } = await client.createRun({ runId: 'C', retryOf: 'B' })
  assert.equal(run.attempt, 3)
  const { timeline } = await client.timeline({ runId: 'B' })
  assert.deepEqual(timeline.flatMap((entry) => (entry.kind === 'attempt' ? [entry.run.runId] : [])).sort(), [
    'A',
    'B',
    'C',
  ])
  await client.deleteRun({ runId: 'A' })
  assert.deepEqual([(await client.getRun({ runId: 'B' })).run.retryOf, run.retryOf], [null, 'B'])
})

testLedger('deleting a run changes its retry, which says by whom and when', async ({ client, as, advance }) => {
  await client.createRun({ runId: 'A' })
  const before = (await client.createRun({ runId: 'B', retryOf: 'A' })).run
  advance(5_000)
  const cleaner = as({ key: (await client.createKey({ name: 'cleaner', permissions: ['delete'] })).secret })
  await cleaner.deleteRun({ runId: 'A' })
  const { run } = await client.getRun({ runId: 'B' })
  assert.deepEqual([run.retryOf, run.version, run.updatedBy.name], [null, before.version + 1, 'cleaner'])
  const { events } = await client.listEvents({ subject: 'B', order: 'desc', limit: 1 })
  assert.equal(run.updatedAt, events[0]?.at)
})

testLedger('a timeline lists the events, checks and attempts of a run in order', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'A' })
  ledger.advance(1000)
  await client.createCheck({ runId: 'A', result: 'pass' })
  ledger.advance(1000)
  await client.updateRun({ runId: 'A', status: 'completed' })
  const { timeline } = await client.timeline({ runId: 'A' })
  const told = timeline.map((entry) => (entry.kind === 'event' ? entry.event.type : entry.kind))
  assert.deepEqual(told, ['run.created', 'attempt', 'run.updated', 'check', 'run.updated'])
})

const lists: [content: string, total: number, done: number][] = [
  ['', 0, 0],
  ['- [ ] a\n* [x] b\n  + [X] c\n1. [ ] d', 4, 2],
  ['- [] a\n-[ ] b\n- [y] c\n[ ] d', 0, 0],
  ['- [ ] a\r\n- [x] b\r- [ ] c\u2028- [ ] c\u2029- [ ] c', 3, 1],
  // Fenced code
  ['- [ ] a\n```md\n- [ ] b\n```\n- [x] c', 2, 1],
  ['~~~~\n- [ ] a\n~~~\n- [ ] b\n```\n- [ ] c\n~~~~~ \n- [ ] d', 1, 0],
  ['```\n- [ ] a\n``` b\n- [ ] c', 0, 0],
  ['``\n- [ ] a\n``` b`\n- [ ] c', 2, 0],
  ['1. ```\n   - [ ] a\n   ```\n   - [ ] b\n2. [ ] c', 2, 0],
  ['- [ ] a\n      ```\n      - [ ] b\n      ```\n      - [ ] c', 2, 0],
  // Comments
  ['<!-- a\n- [ ] b\n\n- [ ] c --> d\n- [ ] e', 1, 0],
  ['<!-- a -->\n- [ ] <!-- b\n- [ ] c', 2, 0],
  ['- [ ] a\n  <!--\n  - [ ] b\n  -->\n  - [ ] c', 2, 0],
  ['a <!--\n- [ ] b', 1, 0],
  ['<!--\n```\n-->\n- [ ] a', 1, 0],
]
for (const [content, total, done] of lists) {
  test(`the checklist of ${JSON.stringify(content)}`, () => assert.deepEqual(checklistOf(content), { total, done }))
}

testLedger('a timeline lists what happened at one instant in the order in which it happened', async ({ url }) => {
  await using store = await openStore(url, { now: () => Date.parse('2026-01-31T09:30:00.000Z') })
  const app = createApp({ store, actor: localActor })
  const client = createClient({ url: base, fetch: (request) => app.fetch(request) })
  await client.createRun({ runId: 'A' })
  for (const name of ['first', 'second']) await client.createCheck({ runId: 'A', name, result: 'pass' })
  for (const runId of ['B', 'C']) await client.createRun({ runId, retryOf: 'A' })
  const { timeline } = await client.timeline({ runId: 'A' })
  const told = timeline.map((entry) =>
    entry.kind === 'check' ? entry.check.name : entry.kind === 'attempt' ? entry.run.runId : '',
  )
  assert.deepEqual(told.filter(Boolean), ['first', 'second', 'A', 'B', 'C'])
})

testLedger('an old version of a spec, which never changes, has no ETag of its own', async ({ client, fetch }) => {
  await client.createSpec({ specId: 'A' })
  assert.match((await fetch('/v1/specs/A')).headers.get('etag') ?? '', /^"\d+-1"$/)
  assert.equal((await fetch('/v1/specs/A/versions/1')).headers.get('etag'), null)
})

testLedger('a spec created while one with its id is deleted continues its versions', async ({ client }) => {
  for (let n = 0; n < 20; n++) {
    const specId = `S-${n}`
    await client.createSpec({ specId, content: 'a' })
    await client.updateSpec({ specId, content: 'b' })
    const create = () => client.createSpec({ specId, content: 'c' }).catch(({ code }) => assert.equal(code, 'CONFLICT'))
    const [, ...made] = await Promise.all([client.deleteSpec({ specId }), create(), create(), create()])
    for (const one of made) if (one) assert.equal(one.spec.version, 3)
  }
})
