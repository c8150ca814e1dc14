import assert from 'node:assert/strict'
import { ConductError } from '../src/contract/error.ts'
import { testLedger } from './support/engines.ts'

testLedger('suggestions are the values of runs, each once and in order', async ({ client }) => {
  const suggest = async (input: Parameters<typeof client.suggest>[0]) => (await client.suggest(input)).values
  assert.deepEqual(await client.suggest({ field: 'agent' }), { values: [], meta: { hasMore: false } })
  await client.createProject({ slug: 'shop', name: 'Shop' })
  for (const agent of ['codex', 'claude-code', 'codex', 'ci', 'Ünder', 'c\u{10fffe}']) {
    await client.createRun({ agent, author: 'Ada', specId: 'S-1', git: { branch: `topic/${agent}` } })
  }
  await client.createRun({ labels: { team: 'web', tier: '1' } })
  await client.createRun({ labels: { team: 'api:2', zone: 'eu' } })
  assert.deepEqual(await suggest({ field: 'agent' }), ['ci', 'claude-code', 'codex', 'c\u{10fffe}', 'Ünder'])
  assert.deepEqual(await suggest({ field: 'agent', q: 'c', limit: 2 }), ['ci', 'claude-code'])
  assert.deepEqual((await client.suggest({ field: 'agent', limit: 2 })).meta, { hasMore: true })
  assert.deepEqual(await suggest({ field: 'agent', q: 'cl' }), ['claude-code'])
  assert.deepEqual(await suggest({ field: 'agent', q: 'none' }), [])
  assert.deepEqual(await suggest({ field: 'author' }), ['Ada'])
  assert.deepEqual(await suggest({ field: 'specId' }), ['S-1'])
  assert.deepEqual(await suggest({ field: 'branch', q: 'topic/cl' }), ['topic/claude-code'])
  assert.deepEqual(await suggest({ field: 'label' }), ['team:api:2', 'team:web', 'tier:1', 'zone:eu'])
  assert.deepEqual(await suggest({ field: 'label', q: 'te' }), ['team:api:2', 'team:web'])
  assert.deepEqual(await suggest({ field: 'label', q: 'team:w' }), ['team:web'])
  assert.deepEqual(await suggest({ field: 'agent', project: ['shop'] }), [])
  await assert.rejects(
    client.suggest({ field: 'agent', project: ['nowhere'] }),
    (error) => error instanceof ConductError && error.code === 'NOT_FOUND',
  )
})

testLedger(
  'a suggestion contains the words anywhere and in any case; those that begin so come first',
  async (ledger) => {
    const { client } = ledger
    const suggest = async (input: Parameters<typeof client.suggest>[0]) => (await client.suggest(input)).values
    const [ada, cleo, mateo] = ['Ada Lund <ada@example.com>', 'Cleo Okafor <cleo@example.com>', 'mateo@example.com']
    for (const author of [ada, cleo, mateo, 'Émile']) await client.createRun({ author, git: { branch: 'Fix/Login' } })
    await client.createRun({ agent: 'x-codex', labels: { Team: 'Web' } })
    await client.createRun({ agent: 'Codex' })
    for (const [q, authors] of [
      ['cleo', [cleo]],
      ['mat', [mateo]],
      ['LUND', [ada]],
      ['émi', ['Émile']],
      ['example.com', [mateo, ada, cleo].toSorted()],
      ['c', [cleo, ada, mateo]],
      ['100%', []],
    ] as const) {
      assert.deepEqual(await suggest({ field: 'author', q }), authors, q)
    }
    assert.deepEqual(await suggest({ field: 'author', q: 'c', limit: 1 }), [cleo])
    assert.deepEqual(await suggest({ field: 'agent', q: 'codex' }), ['Codex', 'x-codex'])
    assert.deepEqual(await suggest({ field: 'branch', q: 'login' }), ['Fix/Login'])
    assert.deepEqual(await suggest({ field: 'label', q: 'team:w' }), ['Team:Web'])
  },
)

testLedger('of more values than are compared, one is found by its beginning as it is written', async ({ client }) => {
  for (const branch of [...Array.from({ length: 1000 }, (_, n) => `b-${n}`), 'z-Last']) {
    await client.createRun({ git: { branch } })
  }
  const suggest = async (q: string) => (await client.suggest({ field: 'branch', q })).values
  assert.deepEqual([await suggest('z-L'), await suggest('B-999'), await suggest('last')], [['z-Last'], ['b-999'], []])
})
