import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import type { Input } from '../src/client/client.ts'
import type { Ctx } from '../src/frame/ctx.ts'
import { operations } from '../src/operations/operations.ts'
import { testLedger } from './support/engines.ts'
import { overlap } from './support/overlap.ts'

testLedger('linking by number and by name counts each feature once, and creates missing ones', async ({ client }) => {
  await client.createRun({ runId: 'A' })
  const first = await client.linkFeatures({
    runId: 'A',
    featureIds: [42, 7, 42],
    features: [{ name: 'auth', file: 'src/auth.ts' }, { name: 'feature-7' }, { name: 'auth', description: 'ignored' }],
  })
  assert.deepEqual(first, { message: 'Features linked successfully', count: 3, created: [7, 42, 43] })
  const again = await client.linkFeatures({ runId: 'A', featureIds: [43], features: [{ name: 'auth', file: 'other' }] })
  assert.deepEqual(again, { message: 'Features linked successfully', count: 1, created: [] })
  assert.equal((await client.getFeature({ id: 43 })).feature.file, 'src/auth.ts', 'linking changes no feature')
  const { run } = await client.getRun({ runId: 'A' })
  assert.deepEqual(run.features, [
    { id: 7, name: 'feature-7' },
    { id: 42, name: 'feature-42' },
    { id: 43, name: 'auth' },
  ])
  assert.equal(run.version, 1, 'links are no change of the run')
  const { events } = await client.listEvents({ limit: 100 })
  assert.deepEqual(
    events.filter(({ type }) => type === 'run.updated').map(({ changes }) => changes),
    [{ features: [null, [7, 42, 43]] }],
  )
})

testLedger('a call links one to a hundred features', async ({ client }) => {
  await client.createRun({ runId: 'A' })
  await assert.rejects(client.linkFeatures({ runId: 'A' }), { code: 'VALIDATION_ERROR', message: /1 to 100/ })
  const featureIds = Array.from({ length: 100 }, (_, n) => n + 1)
  await assert.rejects(client.linkFeatures({ runId: 'A', featureIds, features: [{ name: 'x' }] }), {
    code: 'VALIDATION_ERROR',
  })
  assert.equal((await client.linkFeatures({ runId: 'A', featureIds })).count, 100)
  await assert.rejects(client.linkFeatures({ runId: 'A', featureIds: [2 ** 31] }), { code: 'VALIDATION_ERROR' })
})

testLedger('the features of a call have at most 100,000 bytes of names and descriptions', async ({ client }) => {
  await client.createRun({ runId: 'A' })
  const featureOf = (_: unknown, n: number) => ({ name: `f${n}`, description: 'x'.repeat(9_998) })
  const features = Array.from({ length: 11 }, featureOf)
  await assert.rejects(client.linkFeatures({ runId: 'A', features }), {
    code: 'VALIDATION_ERROR',
    message: /^features: .* at most 100,000 bytes, not 110,001: link the rest in another call\.$/,
  })
  assert.equal((await client.linkFeatures({ runId: 'A', features: features.slice(0, 10) })).count, 10)
})

testLedger(
  'after the largest number that a link creates, later features can be linked, filtered and unlinked',
  async (ledger) => {
    const { client } = ledger
    const largest = 2_147_483_647
    await client.createRun({ runId: 'A' })
    await client.linkFeatures({ runId: 'A', featureIds: [largest] })
    const { feature } = await client.createFeature({ name: 'login' })
    assert.equal(feature.id, largest + 1)
    assert.equal((await client.linkFeatures({ runId: 'A', featureIds: [feature.id] })).count, 1)
    const { runs } = await client.listRuns({ featureId: feature.id })
    assert.deepEqual(
      runs.map(({ runId }) => runId),
      ['A'],
    )
    await client.unlinkFeature({ runId: 'A', featureId: feature.id })
    await assert.rejects(client.linkFeatures({ runId: 'A', featureIds: [1, largest + 2] }), {
      code: 'VALIDATION_ERROR',
      message: /featureIds: .*2147483649.* at most 2147483647/,
    })
    assert.deepEqual((await client.getRun({ runId: 'A' })).run.features, [{ id: largest, name: `feature-${largest}` }])
  },
)

testLedger('a link that is refused takes no number', async ({ client }) => {
  await client.createRun({ runId: 'A' })
  await assert.rejects(client.linkFeatures({ runId: 'A', featureIds: [38, 2_147_483_648] }), {
    code: 'VALIDATION_ERROR',
  })
  assert.equal((await client.createFeature({ name: 'login' })).feature.id, 1)
})

testLedger('runs that link the same new features at the same time all succeed', async ({ client }) => {
  const runIds = Array.from({ length: 12 }, (_, n) => `R${n}`)
  await Promise.all(runIds.map((runId) => client.createRun({ runId })))
  const links = runIds.map((runId, n) =>
    client.linkFeatures({
      runId,
      featureIds: n % 2 ? [3, 2, 1] : [1, 2, 3],
      features: n % 2 ? [{ name: 'a' }, { name: 'b' }] : [{ name: 'b' }, { name: 'a' }],
    }),
  )
  const answers = await Promise.all(links)
  assert.deepEqual([...new Set(answers.map(({ count }) => count))], [5])
  const { features } = await client.listFeatures({ limit: 100 })
  assert.deepEqual(features.map(({ name }) => name).sort(), ['a', 'b', 'feature-1', 'feature-2', 'feature-3'])
  assert.equal(answers.flatMap(({ created }) => created).length, 5, 'each was made by one of them')
})

testLedger('a link can be removed, and removing a missing one is an error', async ({ client }) => {
  await client.createRun({ runId: 'A' })
  await client.linkFeatures({ runId: 'A', featureIds: [1, 2] })
  assert.deepEqual(await client.unlinkFeature({ runId: 'A', featureId: 1 }), {
    message: 'Feature unlinked successfully',
  })
  await assert.rejects(client.unlinkFeature({ runId: 'A', featureId: 1 }), { code: 'NOT_FOUND' })
  assert.deepEqual((await client.getRun({ runId: 'A' })).run.features, [{ id: 2, name: 'feature-2' }])
})

/** Changes of a run that concern its features, and what they find once a feature was deleted. */
const changes = {
  unlinkFeature: { input: { featureId: 1 }, later: 'NOT_FOUND' },
  deleteRun: { input: {}, later: undefined },
  updateRun: { input: { usage: { costUsd: 2 } }, later: undefined },
}
for (const [name, { input, later }] of Object.entries(changes)) {
  const deed = name as keyof typeof changes
  testLedger(`a feature is deleted during ${deed}: no link, total or second event is left`, async (ledger) => {
    const { client, store } = ledger
    for (const runId of ['A', 'B']) await client.createRun({ runId, usage: { costUsd: 1 } })
    const linked = async (runId: string) => {
      await client.linkFeatures({ runId, features: [{ name: runId }] })
      const [feature] = (await client.getRun({ runId })).run.features
      return { runId, ...input, ...('featureId' in input && { featureId: feature?.id ?? 0 }) } as Input<'unlinkFeature'>
    }
    const [one, two] = [await linked('A'), await linked('B')]
    await overlap(
      ledger,
      (ctx) => operations[deed](ctx, one),
      () => client.deleteFeature({ id: 1 }),
    )
    const failed = await overlap(
      ledger,
      (ctx) => operations.deleteFeature(ctx, { id: 2 }),
      () =>
        client[deed](two).then(
          () => undefined,
          ({ code }) => code,
        ),
    )
    assert.equal(failed, later)
    const unlinked = async (subject: string) =>
      (await client.listEvents({ subject })).events.filter(({ changes }) => changes.features?.[0]).length
    assert.deepEqual([await unlinked('A'), await unlinked('B')], [deed === 'deleteRun' ? 0 : 1, 1])
    assert.deepEqual(await store.db.query(sql`select feature_id, runs, cost_usd from feature_totals`), [])
  })
}

testLedger('a feature is created or updated by its name', async ({ client, fetch }) => {
  const post = (body: object) =>
    fetch('/v1/features', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const made = await post({ name: 'auth', file: 'src/auth.ts' })
  assert.deepEqual([made.status, made.headers.get('location')], [201, '/conduct/v1/features/1'])
  const updated = await post({ name: 'auth', description: 'Log in' })
  assert.deepEqual([updated.status, updated.headers.get('location')], [200, null])
  const { feature } = await client.getFeature({ id: 1 })
  assert.deepEqual([feature.file, feature.description, feature.version], ['src/auth.ts', 'Log in', 2])
})

testLedger('a feature is created if the one of its name is renamed or deleted meanwhile', async (ledger) => {
  const { client } = ledger
  const moves = [
    (ctx: Ctx) => operations.updateFeature(ctx, { id: 1, name: 'sign in' }),
    (ctx: Ctx) => operations.deleteFeature(ctx, { id: 2 }),
  ]
  await client.createFeature({ name: 'log in' })
  for (const [index, move] of moves.entries()) {
    const { feature, created } = await overlap(ledger, move, () =>
      client.createFeature({ name: 'log in', file: 'a.ts' }),
    )
    assert.deepEqual([feature.id, created], [index + 2, true])
  }
  assert.equal((await client.getFeature({ id: 1 })).feature.name, 'sign in')
})

testLedger('the name feature-<n> belongs to number n', async ({ client }) => {
  assert.equal((await client.createFeature({ name: 'feature-9' })).feature.id, 9)
  assert.equal((await client.createFeature({ name: 'auth' })).feature.id, 10)
  await assert.rejects(client.updateFeature({ id: 10, name: 'feature-11' }), {
    code: 'CONFLICT',
    message: /belongs to feature 11/,
  })
  await client.updateFeature({ id: 9, name: 'checkout' })
  await assert.rejects(client.createFeature({ name: 'feature-9' }), { code: 'CONFLICT', message: /called 'checkout'/ })
  await client.createRun({ runId: 'A' })
  assert.deepEqual((await client.linkFeatures({ runId: 'A', features: [{ name: 'feature-9' }] })).created, [])
  await client.updateFeature({ id: 9, name: 'feature-9' })
})

testLedger(
  'a feature name is unique, a number is not reused, and deleting a feature unlinks it from its runs',
  async ({ client }) => {
    await client.createFeature({ name: 'a' })
    const { feature } = await client.createFeature({ name: 'b' })
    await assert.rejects(client.updateFeature({ id: feature.id, name: 'a' }), {
      code: 'CONFLICT',
      message: /called 'a'/,
    })
    await client.createRun({ runId: 'A' })
    await client.linkFeatures({ runId: 'A', featureIds: [feature.id] })
    await client.deleteFeature({ id: feature.id })
    assert.deepEqual((await client.getRun({ runId: 'A' })).run.features, [])
    assert.equal((await client.createFeature({ name: 'b' })).feature.id, feature.id + 1)
    await assert.rejects(client.listFeatureRuns({ id: feature.id }), { code: 'NOT_FOUND' })
  },
)

testLedger('features are found by part of their name or description, and by file', async ({ client }) => {
  await client.createFeature({ name: 'User Auth', file: 'src/auth.ts' })
  await client.createFeature({ name: '100%_done', description: 'back\\slash' })
  await client.createFeature({ name: 'ÄRGER', file: 'src/auth.ts' })
  const find = async (input: Parameters<typeof client.listFeatures>[0]) =>
    (await client.listFeatures(input)).features.map(({ name }) => name).sort()
  assert.deepEqual(await find({ q: 'user AUTH' }), ['User Auth'])
  assert.deepEqual(await find({ q: '%_' }), ['100%_done'])
  assert.deepEqual(await find({ q: 'k\\s' }), ['100%_done'])
  assert.deepEqual(await find({ q: 'ärger' }), [], 'only ASCII letters fold')
  assert.deepEqual(await find({ q: 'Ärger' }), ['ÄRGER'])
  assert.deepEqual(await find({ file: 'src/auth.ts' }), ['User Auth', 'ÄRGER'])
})

testLedger('the runs of a feature are listed newest first, also by spec and by time', async (ledger) => {
  const { client } = ledger
  for (const n of [1, 2, 3]) {
    ledger.advance(1000)
    await client.createRun({ runId: `R${n}`, specId: n === 2 ? 'TWO' : 'OTHER' })
    await client.linkFeatures({ runId: `R${n}`, featureIds: [1] })
  }
  const { runs } = await client.listFeatureRuns({ id: 1 })
  assert.deepEqual(
    runs.map(({ runId }) => runId),
    ['R3', 'R2', 'R1'],
  )
  assert.deepEqual(
    (await client.listFeatureRuns({ id: 1, specId: 'TWO' })).runs.map(({ runId }) => runId),
    ['R2'],
  )
  const createdAfter = runs[1]?.createdAt
  assert.deepEqual(
    (await client.listFeatureRuns({ id: 1, createdAfter })).runs.map(({ runId }) => runId),
    ['R3'],
  )
})

testLedger('the list of features has the number of runs, the newest run and the cost of each', async (ledger) => {
  const { client, advance } = ledger
  await client.createFeature({ name: 'idle' })
  for (const [runId, costUsd] of [
    ['A', 0.1],
    ['B', 0.2],
    ['C', undefined],
  ] as const) {
    await client.createRun({ runId, status: 'completed', usage: { inputTokens: 1, costUsd } })
    advance(1000)
  }
  await client.linkFeatures({ runId: 'B', features: [{ name: 'auth' }, { name: 'export' }] })
  await client.linkFeatures({ runId: 'A', features: [{ name: 'auth' }] })
  await client.linkFeatures({ runId: 'C', features: [{ name: 'free' }] })
  await client.createCheck({ runId: 'B', result: 'pass' })
  const { features } = await client.listFeatures({ order: 'asc' })
  assert.deepEqual(
    features.map(({ name, runs, lastRun, costUsd }) => [name, runs, lastRun?.runId, lastRun?.verdict, costUsd]),
    [
      ['idle', 0, undefined, undefined, null],
      ['auth', 2, 'B', 'verified', 0.3],
      ['export', 1, 'B', 'verified', 0.2],
      ['free', 1, 'C', 'unchecked', null],
    ],
  )
})

testLedger('the totals of a feature follow its runs: their costs, links and deletions', async ({ client }) => {
  const figures = async () =>
    (await client.listFeatures({ order: 'asc' })).features.map((one) => [one.name, one.runs, one.costUsd, one.costed])
  for (let n = 0; n < 3; n++) {
    await client.createRun({ runId: `R${n}`, usage: { costUsd: 1 } })
    await client.linkFeatures({ runId: `R${n}`, features: [{ name: 'auth' }, { name: 'export' }] })
  }
  await client.linkFeatures({ runId: 'R0', features: [{ name: 'auth' }] })
  assert.deepEqual(await figures(), [
    ['auth', 3, 3, 3],
    ['export', 3, 3, 3],
  ])
  await client.updateRun({ runId: 'R0', usage: { costUsd: 2.5 } })
  await client.updateRun({ runId: 'R1', usage: null })
  assert.deepEqual(await figures(), [
    ['auth', 3, 3.5, 2],
    ['export', 3, 3.5, 2],
  ])
  await client.unlinkFeature({ runId: 'R0', featureId: 1 })
  assert.deepEqual(await figures(), [
    ['auth', 2, 1, 1],
    ['export', 3, 3.5, 2],
  ])
  await client.deleteRun({ runId: 'R2' })
  assert.deepEqual(await figures(), [
    ['auth', 1, null, 0],
    ['export', 2, 2.5, 1],
  ])
  await client.deleteFeature({ id: 2 })
  assert.deepEqual(await figures(), [['auth', 1, null, 0]])
})

testLedger('the cost of a feature is that of all its runs, however many', async ({ client }) => {
  for (let n = 0; n < 101; n++) {
    await client.createRun({ runId: `R${n}`, usage: { costUsd: 0.5 } })
    await client.linkFeatures({ runId: `R${n}`, features: [{ name: 'auth' }] })
  }
  const { features } = await client.listFeatures({})
  assert.deepEqual([features[0]?.runs, features[0]?.costUsd], [101, 50.5])
})

testLedger(
  'a feature under the number of a deleted one continues its versions, so no ETag means both',
  async (ledger) => {
    const { client } = ledger
    const made = async () => (await client.createFeature({ name: 'feature-42' })).feature
    const first = await made()
    await client.updateFeature({ id: 42, file: 'a.ts' })
    await client.deleteFeature({ id: 42 })
    const second = await made()
    assert.deepEqual([first.version, second.version], [1, 3])
    await assert.rejects(client.updateFeature({ id: 42, file: 'b.ts', ifVersion: '"42-1"' }), {
      code: 'PRECONDITION_FAILED',
    })
    await client.deleteFeature({ id: 42, ifVersion: '"42-3"' })
    await client.createRun({ runId: 'A' })
    await client.linkFeatures({ runId: 'A', featureIds: [42] })
    assert.equal((await client.getFeature({ id: 42 })).feature.version, 4)
  },
)

testLedger('a run shows its 100 oldest features, and the list of features has them all', async ({ client }) => {
  const { run } = await client.createRun()
  const { runId } = run
  for (const from of [1, 101, 201]) {
    await client.linkFeatures({ runId, featureIds: Array.from({ length: 100 }, (_, at) => from + at) })
  }
  await client.createRun({ runId: 'OTHER' })
  await client.linkFeatures({ runId: 'OTHER', featureIds: [7, 999] })
  const full = (await client.getRun({ runId })).run
  assert.deepEqual(
    full.features.map(({ id }) => id),
    Array.from({ length: 100 }, (_, at) => at + 1),
  )
  assert.equal(full.featuresOmitted, 200)
  const found: number[] = []
  for await (const { id } of client.all('listFeatures', { runId, limit: 50 })) found.push(id)
  assert.equal(new Set(found).size, 300)
  assert.deepEqual(
    (await client.listFeatures({ runId: 'OTHER', q: 'feature-9' })).features.map(({ id }) => id),
    [999],
  )
  assert.equal('featuresOmitted' in (await client.getRun({ runId: 'OTHER' })).run, false)
  assert.deepEqual((await client.listFeatures({ runId: 'NONE' })).features, [])
})
