import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import sql, { raw } from 'sql-template-tag'
import type { Client } from '../src/client/client.ts'
import { indexMore } from '../src/find/follow.ts'
import type { Ctx } from '../src/frame/ctx.ts'
import { findProject } from '../src/frame/scope.ts'
import { numberEvents } from '../src/log/number.ts'
import { operations } from '../src/operations/operations.ts'
import { emptyNext, newPlace } from '../src/removal/empty-project.ts'
import { verify } from '../src/verify/verify.ts'
import { logOf } from './property/replayed.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { overlap } from './support/overlap.ts'

/** Does everything that a server still has to do for a deleted project. */
async function emptyAll({ store }: Ledger): Promise<void> {
  const place = newPlace()
  while (await emptyNext(store.db, store.now(), place));
}

/** A project with at least one row in every table. */
async function furnish({ client, as }: Ledger) {
  await client.createProject({ slug: 'shop', name: 'Der Laden', repository: 'laden.git' })
  await client.updateProject({ slug: 'shop', retention: { runDays: 400, keep: { labels: ['kirsche'] } } })
  const shop = as({ project: 'shop' })
  await shop.createSpec({ specId: 'S', title: 'Kirschplan', content: '# Kirschplan\n' })
  await shop.updateSpec({ specId: 'S', content: '# Anderer\n' })
  for (const runId of ['R-1', 'R-2']) {
    await shop.createRun({ runId, specId: 'S', title: 'Kirschrun', content: 'Kirschlog\n', labels: { a: 'b' } })
    for (let n = 1; n <= 30; n++) await shop.appendTurn({ runId, prompt: 'Kirschfrage', answer: 'Kirschantwort' })
    await shop.createCheck({ runId, result: 'pass', content: 'Kirschbefund' })
  }
  await shop.createRun({ runId: 'LIVE', leaseSeconds: 60 })
  await shop.linkFeatures({ runId: 'R-1', features: [{ name: 'Kirschfeature', description: 'Kirsch' }] })
  await client.createWebhook({ url: 'http://kirsch.localhost/', project: 'shop' })
  const { secret, key } = await client.createKey({ name: 'laden', permissions: ['admin'], project: 'shop' })
  return { shop, secret, key }
}

const tablesOfProject = [
  ...['runs', 'turns', 'specs', 'checks', 'features', 'documents', 'counters', 'spec_totals', 'run_labels'],
  ...['hook_sessions', 'webhooks'],
]

testLedger('a deleted project is emptied although others write without pause', async (ledger) => {
  const { client, store, advance } = ledger
  await furnish(ledger)
  await client.deleteProject({ slug: 'shop', confirm: 'Der Laden' })
  advance(3600_000)
  const place = newPlace()
  for (let steps = 0; await emptyNext(store.db, store.now(), place); steps++) {
    assert.ok(steps < 100, 'It follows the end of the log, which moves on.')
    await client.createRun({ title: `later ${steps}` })
    await numberEvents(store.db)
  }
  assert.deepEqual(await store.db.query(sql`select slug from projects where emptied_at is null`), [{ slug: 'default' }])
})

testLedger('deleting a project deletes everything in it, and frees its slug', async (ledger) => {
  const { client, as, store, advance } = ledger
  const { shop, secret, key } = await furnish(ledger)
  await client.createRun({ runId: 'OTHER', title: 'Kirschrun in default' })
  while (await indexMore(store.db, 5));
  const [project] = await store.db.query<{ id: number }>(sql`select id from projects where slug = 'shop'`)
  assert.ok(project)
  await client.deleteProject({ slug: 'shop', confirm: 'Der Laden' })

  // Everything is hidden at once.
  await assert.rejects(client.getProject({ slug: 'shop' }), { code: 'NOT_FOUND' })
  await assert.rejects(shop.listRuns(), { code: 'NOT_FOUND' })
  await assert.rejects(as({ key: secret }).me(), { code: 'UNAUTHORIZED' })
  assert.deepEqual(
    (await client.listRuns()).runs.map(({ runId }) => runId),
    ['OTHER'],
  )
  assert.deepEqual(
    (await client.listProjects()).projects.map(({ slug }) => slug),
    ['default'],
  )
  assert.deepEqual((await client.listSpecs()).specs, [])
  assert.deepEqual((await client.listWebhooks()).webhooks, [])
  assert.deepEqual((await client.search({ q: 'Kirschlog' })).results, [])
  assert.equal((await client.stats({})).total.runs, 1)
  await assert.rejects(as({ project: `shop~${project.id}` }).me(), { code: 'NOT_FOUND' })
  const { keys } = await client.listKeys()
  assert.ok(keys.find(({ id }) => id === key.id)?.revokedAt)

  // The rows go later, beside a new project of the same name.
  await client.createProject({ slug: 'shop' })
  await as({ project: 'shop' }).createRun({ title: 'Neulauf' })
  await emptyAll(ledger)
  for (const table of tablesOfProject) {
    const rows: object[] = await store.db.query(sql`select * from ${raw(table)} where project_id = ${project.id}`)
    assert.deepEqual(rows, [], table)
  }
  const events = await logOf(client)
  for (const word of ['Kirsch', 'kirsch', 'Laden"', 'laden.git']) {
    const there = events.filter((event) => JSON.stringify(event).includes(word) && event.subject !== 'OTHER')
    assert.deepEqual(there, [], word)
  }
  const told = events.find(({ type }) => type === 'project.deleted')
  assert.deepEqual(
    [told?.subject, told?.project, told?.changes.name],
    ['shop', `shop~${project.id}`, ['[erased]', null]],
  )
  assert.deepEqual(
    (await as({ project: 'shop' }).listRuns()).runs.map(({ runId }) => runId),
    ['RUN-001'],
  )
  assert.deepEqual(
    (await as({ project: 'shop' }).listEvents()).events.map(({ type }) => type),
    ['project.created', 'run.created'],
  )
  while (await indexMore(store.db, 5));
  assert.equal((await client.search({ q: 'Kirschrun' })).results.length, 1)

  advance(6 * 60_000)
  await emptyAll(ledger)
  assert.deepEqual((await verify(client, [])).faults, [])
  assert.equal((await client.listEvents({ type: ['run.updated'], subject: 'LIVE' })).events.length, 0)
  const waiting = await store.db.query(sql`select id from projects where deleted_at is not null and emptied_at is null`)
  assert.deepEqual(waiting, [])
})

testLedger('a project with the slug of a deleted one continues its versions, so no ETag means both', async (ledger) => {
  const { client } = ledger
  const made = async (slug: string) => (await client.createProject({ slug })).project.version
  const removed = async (slug: string, confirm = slug) => client.deleteProject({ slug, confirm })
  assert.equal(await made('a_b'), 1)
  await client.updateProject({ slug: 'a_b', name: 'B' })
  await removed('a_b', 'B')
  assert.equal(await made('a.b'), 1)
  assert.equal(await made('a_b'), 3)
  await assert.rejects(client.updateProject({ slug: 'a_b', name: 'C', ifVersion: '"a_b-1"' }), {
    code: 'PRECONDITION_FAILED',
  })
  await removed('a_b')
  await emptyAll(ledger)
  assert.equal(await made('a_b'), 4)
})

const holders = {
  createKey: { name: 'laden', permissions: ['agent' as const] },
  createWebhook: { url: 'http://kirsch.localhost/' },
}
for (const [name, input] of Object.entries(holders)) {
  testLedger(`${name} finds no project that is deleted meanwhile`, async (ledger) => {
    const { client, as } = ledger
    const create = (by: Client, project?: string) =>
      (by[name as keyof typeof holders] as (input: object) => Promise<unknown>)({ ...input, project })
    for (const slug of ['named', 'chosen']) {
      await client.createProject({ slug })
      const by = slug === 'named' ? () => create(client, slug) : () => create(as({ project: slug }))
      const creating = overlap(ledger, (ctx) => operations.deleteProject(ctx, { slug, confirm: slug }), by)
      await assert.rejects(creating, { code: 'NOT_FOUND' })
    }
    assert.equal((await client.listKeys()).keys.length, 1)
    assert.deepEqual((await client.listWebhooks()).webhooks, [])
  })
}

testLedger('a row of a late write to a deleted project is also deleted', async (ledger) => {
  const { client, store, advance } = ledger
  await client.createProject({ slug: 'shop' })
  const [project] = await store.db.query<{ id: number }>(sql`select id from projects where slug = 'shop'`)
  await client.deleteProject({ slug: 'shop', confirm: 'shop' })
  await emptyAll(ledger)
  advance(1000)
  // A request that looked the project up before the deletion writes in its transaction.
  await store.db.tx((tx) =>
    tx.query(sql`insert into features (project_id, number, name, created_at, updated_at)
      values (${project?.id}, 1, 'late', ${store.now()}, ${store.now()})`),
  )
  await emptyAll(ledger)
  assert.deepEqual(await store.db.query(sql`select id from features`), [])
})

testLedger(
  'only an admin of the whole server can delete a project, by its name, and not the default one',
  async (ledger) => {
    const { client, as } = ledger
    const { secret } = await furnish(ledger)
    await assert.rejects(client.deleteProject({ slug: 'shop', confirm: 'shop' }), {
      code: 'VALIDATION_ERROR',
      message: "confirm: must be the name of the project, 'Der Laden', not 'shop'.",
    })
    await assert.rejects(as({ key: secret }).deleteProject({ slug: 'shop', confirm: 'Der Laden' }), {
      code: 'FORBIDDEN',
    })
    await assert.rejects(client.deleteProject({ slug: 'none', confirm: 'none' }), { code: 'NOT_FOUND' })
    await assert.rejects(client.deleteProject({ slug: 'default', confirm: 'default' }), { code: 'CONFLICT' })
    await assert.rejects(client.deleteProject({ slug: 'shop', confirm: 'Der Laden', ifVersion: '"shop-9"' }), {
      code: 'PRECONDITION_FAILED',
    })
    assert.equal((await client.getProject({ slug: 'shop' })).project.name, 'Der Laden')
  },
)

testLedger('what a late write adds to a row of a deleted project is also deleted', async (ledger) => {
  const { client, as, store } = ledger
  await client.createProject({ slug: 'shop' })
  await as({ project: 'shop' }).createRun({ runId: 'R' })
  await as({ project: 'shop' }).createSpec({ specId: 'S', content: 'one' })
  const project = await findProject(store.db, 'shop', null)
  await client.deleteProject({ slug: 'shop', confirm: 'shop' })
  const writes = {
    runs: (ctx: Ctx) => operations.appendTurn(ctx, { runId: 'R', prompt: 'late', answer: 'later' }),
    specs: (ctx: Ctx) => operations.updateSpec(ctx, { specId: 'S', content: 'late' }),
  }
  for (const write of Object.values(writes)) {
    await overlap(
      ledger,
      (ctx) => write({ ...ctx, project }),
      () => emptyNext(store.db, store.now(), newPlace()),
    )
  }
  await emptyAll(ledger)
  assert.deepEqual(await store.db.query(sql`select id from documents where project_id = ${project.id}`), [])
})

testLedger('streams of a project end when it is deleted', async (ledger, t) => {
  const { client, fetch } = ledger
  const { secret } = await furnish(ledger)
  t.mock.timers.enable({ apis: ['setInterval'] })
  const open = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(path, { headers: { accept: 'text/event-stream', ...headers } })
    return (response.body as ReadableStream<Uint8Array>).getReader()
  }
  const streams = [
    await open('/v1/events', { authorization: `Bearer ${secret}` }),
    await open('/v1/events?project=shop'),
    await open('/v1/events', { 'x-project-id': 'shop' }),
  ]
  await client.deleteProject({ slug: 'shop', confirm: 'Der Laden' })
  t.mock.timers.tick(15_000)
  for (const stream of streams) while (!(await stream.read()).done);
})

testLedger('streams of a deleted project send nothing of a new one with its slug', async (ledger, t) => {
  const { client, as, fetch } = ledger
  const { secret } = await furnish(ledger)
  t.mock.timers.enable({ apis: ['setInterval'] })
  const open = (path: string, headers: Record<string, string> = {}) =>
    fetch(path, { headers: { accept: 'text/event-stream', ...headers } })
  const streams = await Promise.all([
    open('/v1/events', { authorization: `Bearer ${secret}` }),
    open('/v1/events?project=shop'),
    open('/v1/events', { 'x-project-id': 'shop' }),
  ])
  const texts = streams.map((stream) => stream.text())
  const all = client.follow({ after: 0 })
  const create = async (runId: string) => {
    await as({ project: 'shop' }).createRun({ runId })
    while ((await all.next()).value?.subject !== runId);
  }
  await create('OLD')
  await client.deleteProject({ slug: 'shop', confirm: 'Der Laden' })
  await client.createProject({ slug: 'shop' })
  await create('NEW')
  t.mock.timers.tick(15_000)
  for (const text of await Promise.all(texts)) {
    assert.match(text, /"subject":"OLD"/)
    assert.doesNotMatch(text, /"subject":"NEW"/)
  }
  await all.return()
})

testLedger('the space of a deleted project goes back to the disk', async (ledger) => {
  const { client, as, store, url, engine } = ledger
  await client.createProject({ slug: 'shop' })
  const shop = as({ project: 'shop' })
  for (let n = 1; n <= 40; n++) await shop.createRun({ runId: `R-${n}`, content: `${n} `.repeat(50_000) })
  await client.createRun({ runId: 'KEPT', content: 'x'.repeat(200_000) })
  await client.deleteProject({ slug: 'shop', confirm: 'shop' })
  await emptyAll(ledger)
  // PostgreSQL keeps the space for new rows.
  if (engine.name === 'postgres') return assert.equal(await store.db.giveBack(), false)
  const path = url.slice('sqlite:'.length)
  const [size] = await store.db.query<{ bytes: number }>(
    sql`select page_count * page_size as bytes from pragma_page_count, pragma_page_size`,
  )
  const before = size?.bytes ?? 0
  assert.ok(before > 4_000_000, `${before} bytes`)
  while (await store.db.giveBack());
  while (statSync(path).size > before / 4) await turn()
  assert.equal((await client.getRun({ runId: 'KEPT' })).run.content.length, 200_000)
  assert.deepEqual(await store.db.query(sql`pragma integrity_check`), [{ integrity_check: 'ok' }])
  assert.equal(await store.db.giveBack(), false, 'what is left is for new rows')
})
