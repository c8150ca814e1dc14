import assert from 'node:assert/strict'
import { testLedger } from './support/engines.ts'

testLedger('a project is created, read, listed and changed', async (ledger) => {
  const { client, fetch } = ledger
  const { project } = await client.createProject({ slug: 'shop', repository: 'https://example.com/shop.git' })
  assert.deepEqual([project.name, project.version], ['shop', 1])
  await assert.rejects(client.createProject({ slug: 'shop' }), { code: 'CONFLICT' })
  const changed = await client.updateProject({ slug: 'shop', name: 'Shop', repository: null, ifVersion: '"shop-1"' })
  assert.deepEqual([changed.project.name, changed.project.repository, changed.project.version], ['Shop', null, 2])
  await assert.rejects(client.updateProject({ slug: 'shop', name: 'x', ifVersion: '"shop-1"' }), {
    code: 'PRECONDITION_FAILED',
  })
  assert.deepEqual((await client.getProject({ slug: 'shop' })).project, changed.project)
  assert.equal((await fetch('/v1/projects/shop')).headers.get('etag'), '"shop-2"')
  assert.deepEqual(
    (await client.listProjects({ order: 'asc' })).projects.map(({ slug }) => slug),
    ['default', 'shop'],
  )
  await assert.rejects(client.getProject({ slug: 'none' }), { code: 'NOT_FOUND' })
})

testLedger('two projects can use the same ids independently', async (ledger) => {
  const { client, as } = ledger
  await client.createProject({ slug: 'shop' })
  const shop = as({ project: 'shop' })
  const one = await client.createRun({ runId: 'A', content: 'default' })
  const two = await shop.createRun({ runId: 'A', content: 'shop' })
  assert.deepEqual([one.run.project, two.run.project], ['default', 'shop'])
  assert.equal((await shop.getRun({ runId: 'A' })).run.content, 'shop')
  assert.equal((await shop.createRun({})).run.runId, 'RUN-001')
  await shop.linkFeatures({ runId: 'A', features: [{ name: 'auth' }] })
  assert.equal((await client.createFeature({ name: 'other' })).feature.id, 1, 'features are numbered per project')
  await shop.deleteRun({ runId: 'A' })
  assert.equal((await client.getRun({ runId: 'A' })).run.content, 'default')
})

testLedger('a server key lists all projects, those that it names, or the one in which it acts', async (ledger) => {
  const { client, as } = ledger
  for (const slug of ['shop', 'blog']) {
    await client.createProject({ slug })
    await as({ project: slug }).createRun({ runId: slug, status: 'completed' })
    ledger.advance(10)
  }
  await client.createRun({ runId: 'default', status: 'completed' })
  const ids = async (list: ReturnType<typeof client.listRuns>) => (await list).runs.map(({ runId }) => runId)
  assert.deepEqual(await ids(client.listRuns()), ['default', 'blog', 'shop'])
  assert.deepEqual(await ids(client.listRuns({ status: ['completed', 'failed'], limit: 2 })), ['default', 'blog'])
  assert.deepEqual(await ids(client.listRuns({ project: ['shop', 'blog', 'shop'] })), ['blog', 'shop'])
  assert.deepEqual(await ids(as({ project: 'shop' }).listRuns()), ['shop'])
  assert.deepEqual(await ids(as({ project: 'shop' }).listRuns({ project: ['shop'] })), ['shop'])
  await assert.rejects(as({ project: 'shop' }).listRuns({ project: ['blog'] }), {
    code: 'VALIDATION_ERROR',
    message: /X-Project-ID/,
  })
  await assert.rejects(client.listRuns({ project: ['none'] }), { code: 'NOT_FOUND' })
  await assert.rejects(as({ project: 'none' }).me(), { code: 'NOT_FOUND' })
  const walked: string[] = []
  for await (const { runId } of client.all('listRuns', { limit: 1 })) walked.push(runId)
  assert.deepEqual(walked, ['default', 'blog', 'shop'])
})

testLedger('a list over hundreds of projects has pages as a list of one project has', async (ledger) => {
  const { client, as } = ledger
  for (let n = 0; n < 230; n++) await client.createProject({ slug: `p${n}` })
  await as({ project: 'p3' }).createRun({ runId: 'old' })
  ledger.advance(1000)
  await as({ project: 'p228' }).createRun({ runId: 'new' })
  const { runs, meta } = await client.listRuns({ status: ['pending', 'failed', 'completed'], limit: 1 })
  assert.deepEqual([runs[0]?.runId, meta.hasMore], ['new', true])
  const { runs: next } = await client.listRuns({
    status: ['pending', 'failed', 'completed'],
    limit: 1,
    cursor: meta.nextCursor,
  })
  assert.deepEqual(
    next.map(({ runId }) => runId),
    ['old'],
  )
})

testLedger('the query of a list of all runs is as long for many projects as for few', async (ledger, t) => {
  const { client, store } = ledger
  const asked = t.mock.method(store.db, 'query')
  const listAll = async () => {
    asked.mock.resetCalls()
    const { runs } = await client.listRuns({ limit: 5 })
    return { runs: runs.map(({ runId }) => runId), size: Math.max(...asked.mock.calls.map(sizeOf)) }
  }
  const sizeOf = ({ arguments: [statement] }: { arguments: { text: string }[] }) => statement?.text.length ?? 0
  const runs: string[] = []
  const sizes: number[] = []
  for (let n = 0; n < 30; n++) {
    await client.createProject({ slug: `p${n}` })
    await ledger.as({ project: `p${n}` }).createRun({ runId: `R${n}` })
    runs.unshift(`R${n}`)
    if (n === 1 || n === 29) sizes.push((await listAll()).size)
  }
  assert.equal(sizes[0], sizes[1])
  assert.deepEqual((await listAll()).runs, runs.slice(0, 5))
})

testLedger('the list of projects has the newest run of each', async ({ client, as, advance }) => {
  await client.createProject({ slug: 'empty' })
  await client.createRun({ runId: 'OLD', status: 'failed' })
  advance(1000)
  const { run } = await client.createRun({ runId: 'NEW', status: 'completed' })
  await client.createProject({ slug: 'shop' })
  await as({ project: 'shop' }).createRun({ runId: 'ONLY' })
  const { projects } = await client.listProjects()
  assert.deepEqual(Object.fromEntries(projects.map(({ slug, lastRun }) => [slug, lastRun?.runId])), {
    default: 'NEW',
    empty: undefined,
    shop: 'ONLY',
  })
  const named = await as({ project: 'shop' }).listProjects()
  assert.deepEqual(
    named.projects.map(({ slug }) => slug),
    ['shop'],
    'X-Project-ID narrows it, as it does other lists',
  )
  const { lastRun } = projects.find(({ slug }) => slug === 'default') ?? {}
  assert.deepEqual(lastRun, { runId: 'NEW', status: 'completed', verdict: 'unchecked', createdAt: run.createdAt })
})

testLedger('a client that acts in a project can create that project', async ({ client, as }) => {
  const shop = as({ project: 'shop' })
  const { project } = await shop.createProject({ slug: 'shop' }, { idempotencyKey: 'once' })
  assert.equal(project.slug, 'shop')
  assert.deepEqual(await shop.createProject({ slug: 'shop' }, { idempotencyKey: 'once' }), { project }, 'a retry')
  await shop.createRun({ runId: 'A' })
  const key = (await client.createKey({ name: 'own', permissions: ['admin'], project: 'shop' })).secret
  await assert.rejects(as({ key, project: 'other' }).createProject({ slug: 'other' }), { code: 'FORBIDDEN' })
})
