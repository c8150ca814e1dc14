import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import type { Input } from '../src/client/client.ts'
import { backfillNext, leaveToBackfill } from '../src/nouns/run/backfill.ts'
import { requireWhole } from './property/whole.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { exportOf, importAt, openAt } from './support/exported.ts'

type Client = Ledger['client']

/** Adds a turn that used a model. */
const use = (client: Client, runId: string, model: string, costUsd?: number) =>
  client.appendTurn({ runId, usage: { model, inputTokens: 1000, outputTokens: 10, costUsd } })

const found = async (client: Client, model: string, filters: Input<'listRuns'> = {}) =>
  (await client.listRuns({ ...filters, model })).runs.map(({ runId }) => runId).join(' ')

/** The groups by model as `model: runs, cost, costed, input tokens`, and the total. */
async function byModel(client: Client, input: Input<'stats'> = {}): Promise<Record<string, string>> {
  const { groups = [], total } = await client.stats({ ...input, by: 'model' })
  const brief = ({ runs, costUsd, costed, inputTokens }: Omit<typeof total, 'byStatus'>) =>
    `${runs}, ${costUsd}, ${costed}, ${inputTokens}`
  return {
    ...Object.fromEntries(groups.map(({ value, ...tally }) => [value ?? 'none', brief(tally)])),
    total: brief(total),
  }
}

testLedger('cost and tokens count under the model whose turns had them', async ({ client, store, advance }) => {
  await client.createRun({ runId: 'TWO', status: 'in_progress', agent: 'codex' })
  await use(client, 'TWO', 'opus', 9)
  await use(client, 'TWO', 'haiku', 0.01)
  await client.createRun({ runId: 'ONE', status: 'completed', usage: { model: 'haiku', inputTokens: 5, costUsd: 1 } })
  await client.createRun({ runId: 'NONE', usage: { inputTokens: 3 } })
  advance(60_000)
  await client.updateRun({ runId: 'TWO', status: 'completed' })
  assert.deepEqual(await byModel(client), {
    opus: '1, 9, 1, 1000',
    haiku: '2, 1.01, 2, 1005',
    none: '1, null, 0, 3',
    total: '3, 10.01, 2, 2008',
  })
  assert.deepEqual(await byModel(client, { agent: 'codex' }), {
    opus: '1, 9, 1, 1000',
    haiku: '1, 0.01, 1, 1000',
    total: '1, 9.01, 1, 2000',
  })
  const { groups = [], days, total } = await client.stats({ by: 'model' })
  const counted = days.reduce((sum, { runs }) => sum + runs, 0)
  assert.deepEqual([counted, total.byStatus.completed], [3, 2], 'a run counts once')
  const durations = groups.map(({ value, duration }) => [value, duration.runs])
  assert.deepEqual(Object.fromEntries(durations), { opus: 1, haiku: 2, null: 0 })
  assert.deepEqual([await found(client, 'opus'), await found(client, 'haiku')], ['TWO', 'ONE TWO'])
  assert.equal(await found(client, 'opus', { agent: 'codex', status: ['completed'] }), 'TWO')
  assert.equal((await client.search({ q: 'codex', model: 'opus' })).results.length, 1)
  await requireWhole(store.db)
})

testLedger('what a recorder says of a whole session stays with the models of its turns', async ({ client, store }) => {
  await client.createRun({ runId: 'R', status: 'in_progress' })
  await use(client, 'R', 'opus', 9)
  await use(client, 'R', 'haiku', 0.01)
  const whole = { model: 'haiku', inputTokens: 2000, outputTokens: 20, costUsd: 9.01 }
  await client.updateRun({ runId: 'R', status: 'completed', usage: whole })
  assert.deepEqual(await byModel(client), {
    opus: '1, 9, 1, 1000',
    haiku: '1, 0.01, 1, 1000',
    total: '1, 9.01, 1, 2000',
  })
  await client.updateRun({ runId: 'R', usage: { ...whole, costUsd: 10 } })
  assert.deepEqual(await byModel(client), {
    opus: '1, 9, 1, 1000',
    haiku: '1, 0.01, 1, 1000',
    none: '1, 0.99, 1, null',
    total: '1, 10, 1, 2000',
  })
  await client.updateRun({ runId: 'R', usage: { ...whole, costUsd: 4 } })
  assert.deepEqual(await byModel(client), {
    opus: '1, null, 0, 1000',
    haiku: '1, null, 0, 1000',
    none: '1, 4, 1, null',
    total: '1, 4, 1, 2000',
  })
  await client.updateRun({ runId: 'R', usage: null })
  assert.equal(await found(client, 'opus'), 'R', 'its turn used it')
  await client.createRun({ runId: 'MORE', usage: { model: 'gpt', costUsd: 5 } })
  await use(client, 'MORE', 'o3', 1)
  const { o3, none } = await byModel(client)
  assert.deepEqual([o3, none], ['1, 1, 1, 1000', '1, 5, 1, null'], 'what was gpt is not o3')
  await client.deleteRun({ runId: 'MORE' })
  await client.createRun({ runId: 'CHANGED', usage: { model: 'gpt', costUsd: 1 } })
  await client.updateRun({ runId: 'CHANGED', usage: { model: 'o3', costUsd: 1 } })
  assert.deepEqual([await found(client, 'gpt'), await found(client, 'o3')], ['', 'CHANGED'])
  await requireWhole(store.db)
})

testLedger('an erased name of a model is in no figure and no filter, and a deleted run in neither', async (ledger) => {
  const { client, store } = ledger
  for (const runId of ['A', 'B']) {
    await client.createRun({ runId, status: 'in_progress' })
    for (const model of ['secret-1', 'opus', 'secret-2']) await use(client, runId, model, 1)
  }
  await client.deleteRun({ runId: 'B' })
  let answer = await client.erase({ text: 'secret' })
  while (answer.hasMore) answer = await client.erase({ text: 'secret', cursor: answer.nextCursor })
  assert.deepEqual(await byModel(client), {
    opus: '1, 1, 1, 1000',
    '[erased]': '1, 2, 1, 2000',
    total: '1, 3, 1, 3000',
  })
  assert.deepEqual([await found(client, 'secret-1'), await found(client, 'opus')], ['', 'A'])
  await use(client, 'A', 'opus', 1)
  assert.equal((await byModel(client)).total, '1, 4, 1, 4000')
  await requireWhole(store.db)
  assert.deepEqual(await store.db.query(sql`select 1 as one from run_models where model like '%secret%'`), [])
  await client.erase({ runId: 'A' })
  assert.equal(await found(client, 'opus'), 'A', 'names of models group figures')
  await requireWhole(store.db)
})

testLedger('an upgrade and an import find the models of earlier runs', async (ledger, t) => {
  const { client, store, engine } = ledger
  for (let n = 1; n <= 3; n++) {
    await client.createRun({ runId: `R-${n}`, status: 'in_progress' })
    await use(client, `R-${n}`, 'opus', 9)
    await use(client, `R-${n}`, 'haiku', 0.01)
  }
  const before = await byModel(client)
  assert.equal(before.total, '3, 27.03, 3, 6000')
  const { url } = await engine.ledger(t)
  await importAt(url, await exportOf(store))
  const there = await openAt(t, url)
  assert.deepEqual(await byModel(there.client), before)
  assert.equal(await found(there.client, 'opus'), 'R-3 R-2 R-1')

  await store.db.tx(async (tx) => {
    await tx.query(sql`delete from run_models`)
    await leaveToBackfill(tx)
  })
  await use(client, 'R-1', 'haiku', 1)
  while (await backfillNext(store.db));
  await requireWhole(store.db)
  assert.deepEqual(await byModel(client), {
    opus: '3, 27, 3, 3000',
    haiku: '3, 1.03, 3, 4000',
    total: '3, 28.03, 3, 7000',
  })
})
