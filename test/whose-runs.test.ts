import assert from 'node:assert/strict'
import type { Input } from '../src/client/client.ts'
import { type Ledger, testLedger } from './support/engines.ts'

const found = async (client: Ledger['client'], filters: Input<'listRuns'>) =>
  (await client.listRuns(filters)).runs.map(({ runId }) => runId).join(' ')

testLedger('mine lists the runs of the person of the key, however the mail is written', async ({ client, as }) => {
  const keyOf = async (person?: string) =>
    as({ key: (await client.createKey({ name: 'key', permissions: ['write'], person })).secret })
  const [ada, nobody] = [await keyOf('Ada Lund <ada@example.com>'), await keyOf()]
  const authors = {
    A: 'Ada <ada@example.com>',
    B: 'A. Lund <ADA@Example.com>',
    C: 'ada@example.com',
    D: 'Mateo <mateo@example.com>',
    E: 'Ada',
  }
  for (const [runId, author] of Object.entries(authors)) {
    await client.createRun({ runId, author, title: 'Passkeys', agent: runId === 'A' ? 'codex' : 'claude-code' })
  }
  const asked: [filters: Input<'listRuns'>, runs: string][] = [
    [{ mine: true }, 'C B A'],
    [{ mine: true, agent: 'codex' }, 'A'],
    [{ mine: true, author: 'mateo@example.com' }, ''],
    [{ mine: false }, 'E D C B A'],
    [{ author: 'ADA@example.com' }, 'C B A'],
    [{ author: 'Ada <ada@example.com>' }, 'A'],
    [{ author: 'Ada' }, 'E'],
    [{ author: 'mateo@example.com' }, 'D'],
  ]
  for (const [filters, runs] of asked) assert.equal(await found(ada, filters), runs, JSON.stringify(filters))
  const { results } = await ada.search({ q: 'passkeys', mine: true })
  assert.deepEqual(results.map(({ subject, author }) => `${subject} ${author}`).sort(), [
    'A Ada <ada@example.com>',
    'B A. Lund <ADA@Example.com>',
    'C ada@example.com',
  ])

  const refused = { code: 'VALIDATION_ERROR', message: /mine: needs a key that names a person.*conduct key update/ }
  await assert.rejects(nobody.listRuns({ mine: true }), refused)
  await assert.rejects(nobody.search({ q: 'passkeys', mine: true }), refused)

  const feature = (await client.createFeature({ name: 'login' })).feature
  for (const runId of ['A', 'D']) {
    await client.updateRun({ runId, specId: 'S' })
    await client.linkFeatures({ runId, features: [{ name: 'login' }] })
  }
  const ids = ({ runs }: { runs: { runId: string }[] }) => runs.map(({ runId }) => runId).join(' ')
  assert.equal(ids(await ada.listSpecRuns({ specId: 'S' })), 'D A')
  assert.equal(ids(await ada.listSpecRuns({ specId: 'S', mine: true })), 'A')
  assert.equal(ids(await ada.listFeatureRuns({ id: feature.id })), 'D A')
  assert.equal(ids(await ada.listFeatureRuns({ id: feature.id, mine: true })), 'A')
  await assert.rejects(nobody.listSpecRuns({ specId: 'S', mine: true }), refused)

  await client.updateRun({ runId: 'A', author: authors.D })
  assert.equal(await found(ada, { mine: true }), 'C B')
})

testLedger('a hit says whose run it is part of, and when that began', async ({ client }) => {
  const startedAt = '2026-01-02T03:04:05.000Z'
  await client.createRun({
    ...{ runId: 'R', title: 'Passkeys', author: 'Ada', agent: 'codex', startedAt, createdAt: startedAt },
    status: 'completed',
  })
  await client.appendTurn({ runId: 'R', prompt: 'Store passkeys' })
  await client.createCheck({ runId: 'R', name: 'passkeys', result: 'pass' })
  const { spec } = await client.createSpec({ specId: 'S', content: '# Passkeys' })
  const { results } = await client.search({ q: 'passkeys' })
  const ofRun = { agent: 'codex', author: 'Ada', verdict: 'verified', at: startedAt }
  assert.deepEqual(
    Object.fromEntries(results.map(({ type, agent, author, verdict, at }) => [type, { agent, author, verdict, at }])),
    {
      ...{ run: ofRun, turn: ofRun, check: ofRun },
      spec: { agent: null, author: null, verdict: null, at: spec.createdAt },
    },
  )
})

testLedger('a flag in a query is true or false', async ({ fetch }) => {
  const statusOf = async (mine: string) => (await fetch(`/v1/runs?mine=${mine}`)).status
  assert.deepEqual([await statusOf('false'), await statusOf('maybe')], [200, 422])
})
