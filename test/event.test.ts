import assert from 'node:assert/strict'
import type { EventType } from '../src/log/fields.ts'
import { testLedger } from './support/engines.ts'

testLedger(
  'the log has every change once and in order, with its actor and the values before and after',
  async (ledger) => {
    const { client, as } = ledger
    const { secret, key } = await client.createKey({ name: 'agent 7', permissions: ['agent'] })
    const agent = as({ key: secret })
    await agent.createRun({ runId: 'A', content: 'one', labels: { a: 'b' } })
    await agent.updateRun({ runId: 'A', status: 'failed', failure: { code: 'X', message: 'y' }, content: 'three' })
    await client.linkFeatures({ runId: 'A', featureIds: [1] })
    await client.deleteRun({ runId: 'A' })
    const { events, meta } = await client.listEvents({ limit: 100 })
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
    )
    assert.equal(meta.lastSeq, events.length)
    assert.deepEqual(
      events.map(({ type, subject }) => `${type} ${subject}`),
      [
        'project.created default',
        'key.created 1',
        `key.created ${key.id}`,
        'run.created A',
        'run.updated A',
        'attention.created A',
        'feature.created 1',
        'run.updated A',
        'attention.cleared A',
        'run.deleted A',
      ],
    )
    const [first, , , created, updated, , , linked, , deleted] = events
    assert.deepEqual(first?.actor, { kind: 'system' })
    assert.deepEqual(created?.actor, { kind: 'key', keyId: key.id, name: 'agent 7' })
    const one = { bytes: 3, sha256: '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed' }
    assert.deepEqual(created?.changes, {
      title: [null, 'one'],
      status: [null, 'pending'],
      labels: [null, { a: 'b' }],
      content: [null, one],
    })
    assert.deepEqual(updated?.changes.status, ['pending', 'failed'])
    assert.deepEqual(updated?.changes.content?.[0], one)
    assert.deepEqual(linked?.changes, { features: [null, [1]] })
    assert.deepEqual([deleted?.changes.status, deleted?.subjectId], [['failed', null], created?.subjectId])
  },
)

testLedger('the events of an id that many projects use are read once', async ({ client, as, store }) => {
  const slugs = Array.from({ length: 9 }, (_, n) => `project-${n}`)
  for (const slug of slugs) {
    await client.createProject({ slug })
    await as({ project: slug }).createRun({ runId: 'RUN-1' })
    await as({ project: slug }).appendToRun({ runId: 'RUN-1', text: 'a line' })
  }
  const read = store.db.query
  const texts: string[] = []
  store.db.query = (statement) => {
    texts.push(statement.sql)
    return read(statement)
  }
  const all = await client.listEvents({ subject: 'RUN-1', limit: 100 })
  assert.deepEqual(
    all.events.map(({ project }) => project),
    slugs.flatMap((slug) => [slug, slug]),
  )
  const some = await client.listEvents({ subject: 'RUN-1', project: slugs.slice(2, 6), order: 'desc' })
  assert.deepEqual(
    some.events.slice(0, 3).map(({ project, type }) => `${project} ${type}`),
    ['project-5 run.updated', 'project-5 run.created', 'project-4 run.updated'],
  )
  // One for appends and one for the others.
  for (const text of texts) assert.ok(text.split('from events e').length <= 3, text)
})

testLedger('a reader can continue the log from any position, for all projects or one', async (ledger) => {
  const { client, as } = ledger
  await client.createProject({ slug: 'shop' })
  await client.createRun({ runId: 'A' })
  await as({ project: 'shop' }).createRun({ runId: 'B' })
  await client.createRun({ runId: 'C' })
  const subjects = async (input: Parameters<typeof client.listEvents>[0]) =>
    (await client.listEvents(input)).events.map(({ subject }) => subject)
  assert.deepEqual(await subjects({ after: 3 }), ['A', 'B', 'C'])
  assert.deepEqual(await subjects({ after: 3, project: ['default'] }), ['A', 'C'])
  assert.deepEqual(
    (await as({ project: 'shop' }).listEvents()).events.map(({ type }) => type),
    ['project.created', 'run.created'],
  )
  const { events, meta } = await client.listEvents({ after: 1, limit: 2 })
  assert.deepEqual([events.length, meta], [2, { hasMore: true, lastSeq: 3 }])
  const newest = await client.listEvents({ order: 'desc', limit: 2 })
  const all = (await client.listEvents()).events.map(({ seq }) => seq).reverse()
  assert.deepEqual(
    newest.events.map(({ seq }) => seq),
    all.slice(0, 2),
  )
  assert.deepEqual(newest.meta, { hasMore: true, lastSeq: all[1] })
  const older = await client.listEvents({ order: 'desc', before: newest.meta.lastSeq })
  assert.deepEqual(
    older.events.map(({ seq }) => seq),
    all.slice(2),
  )
  assert.equal(older.meta.hasMore, false)
  assert.deepEqual(
    (await client.listEvents({ before: 3 })).events.map(({ seq }) => seq),
    [1, 2],
  )
  const end = all[0] as number
  assert.deepEqual((await client.listEvents({ after: end })).meta, { hasMore: false, lastSeq: end })

  const reader = as({ key: (await client.createKey({ name: 'r', permissions: ['read'] })).secret })
  assert.deepEqual(
    (await reader.listEvents()).events.map(({ type }) => type),
    ['run.created', 'run.created', 'run.created'],
  )
})

testLedger('a page does not pass over the first events of a project that is created meanwhile', async (ledger) => {
  const { client, as, store } = ledger
  const { query } = store.db
  store.db.query = async <Row extends object>(statement: Parameters<typeof query>[0]) => {
    const rows = await query<Row>(statement)
    if (statement.sql !== 'select id, slug from projects') return rows
    store.db.query = query
    await client.createProject({ slug: 'shop' })
    await as({ project: 'shop' }).createRun({ runId: 'NEW' })
    await client.createRun({ runId: 'AFTER' })
    return rows
  }
  const type: EventType[] = ['run.created']
  const first = await client.listEvents({ type })
  assert.equal(store.db.query, query)
  const second = await client.listEvents({ type, after: first.meta.lastSeq })
  const subjects = [...first.events, ...second.events].map(({ subject }) => subject)
  assert.deepEqual(subjects, ['NEW', 'AFTER'])
})

testLedger('a failed call leaves no event', async ({ client }) => {
  await client.createRun({ runId: 'A' })
  const count = async () => (await client.listEvents({ limit: 100 })).events.length
  const before = await count()
  await assert.rejects(client.createRun({ runId: 'A' }))
  await assert.rejects(client.updateRun({ runId: 'A', title: 'x', ifVersion: '"9-9"' }))
  await assert.rejects(client.unlinkFeature({ runId: 'A', featureId: 1 }))
  assert.equal(await count(), before)
})
