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
  assert.deepEqual(await suggest({ field: 'agent', prefix: 'c', limit: 2 }), ['ci', 'claude-code'])
  assert.deepEqual((await client.suggest({ field: 'agent', limit: 2 })).meta, { hasMore: true })
  assert.deepEqual(await suggest({ field: 'agent', prefix: 'cl' }), ['claude-code'])
  assert.deepEqual(await suggest({ field: 'agent', prefix: 'none' }), [])
  assert.deepEqual(await suggest({ field: 'author' }), ['Ada'])
  assert.deepEqual(await suggest({ field: 'specId' }), ['S-1'])
  assert.deepEqual(await suggest({ field: 'branch', prefix: 'topic/cl' }), ['topic/claude-code'])
  assert.deepEqual(await suggest({ field: 'label' }), ['team:api:2', 'team:web', 'tier:1', 'zone:eu'])
  assert.deepEqual(await suggest({ field: 'label', prefix: 'te' }), ['team:api:2', 'team:web'])
  assert.deepEqual(await suggest({ field: 'label', prefix: 'team:w' }), ['team:web'])
  assert.deepEqual(await suggest({ field: 'agent', project: ['shop'] }), [])
  await assert.rejects(
    client.suggest({ field: 'agent', project: ['nowhere'] }),
    (error) => error instanceof ConductError && error.code === 'NOT_FOUND',
  )
})
