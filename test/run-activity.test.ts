import assert from 'node:assert/strict'
import type { Event } from '../src/log/fields.ts'
import { type Ledger, testLedger } from './support/engines.ts'

const told = async ({ client }: Ledger, runId = 'A') =>
  (await client.listEvents({ subject: runId, type: ['run.waiting', 'run.idle'] })).events.map(
    ({ type, changes }: Event) => [type, changes] as const,
  )

/** All from one moment, so that a slow machine measures the same spans. */
const now = Date.now()
const ago = (seconds: number) => new Date(now - 1000 * seconds).toISOString()

testLedger('a wait for a person is one event with the tool alone, and no version', async (ledger) => {
  const { client } = ledger
  const { run } = await client.createRun({ runId: 'A', status: 'in_progress' })
  const beat = (activity: NonNullable<Parameters<typeof client.heartbeat>[0]['activity']>) =>
    client.heartbeat({ runId: 'A', activity })
  await beat({ state: 'working', tool: 'Bash', target: 'deploy --to prod' })
  await beat({ state: 'waiting', tool: 'Bash', target: 'deploy --to prod' })
  await beat({ state: 'waiting', tool: 'Bash', target: 'deploy --to prod' })
  await beat({ state: 'waiting' })
  const bash = ['run.waiting', { tool: [null, 'Bash'] }]
  assert.deepEqual(await told(ledger), [bash])
  assert.deepEqual((await client.getRun({ runId: 'A' })).run.activity?.target, 'deploy --to prod')
  await beat({ state: 'waiting', tool: 'Edit', target: 'a.ts' })
  await beat({ state: 'working', tool: 'Edit' })
  await beat({ state: 'waiting' })
  assert.deepEqual(await told(ledger), [bash, ['run.waiting', { tool: [null, 'Edit'] }], ['run.waiting', {}]])
  const after = (await client.getRun({ runId: 'A' })).run
  assert.deepEqual([after.version, after.updatedAt], [run.version, run.updatedAt])
  await client.updateRun({ runId: 'A', status: 'completed' })
  assert.equal((await told(ledger)).length, 3, 'the end of a run is no rest')
})

testLedger('the end of a long turn is one event, whether the turn or a heartbeat says it first', async (ledger) => {
  const { client } = ledger
  for (const runId of ['A', 'B', 'C', 'D']) await client.createRun({ runId, status: 'in_progress' })
  const beat = (runId: string, state: 'working' | 'waiting' | 'idle', since?: string) =>
    client.heartbeat({ runId, activity: { state, since } })
  await beat('A', 'working', ago(300))
  await beat('A', 'waiting', ago(200))
  await client.appendTurn({ runId: 'A', prompt: 'Go', endedAt: ago(100) })
  await beat('A', 'idle', ago(99))
  assert.deepEqual(await told(ledger), [
    ['run.waiting', {}],
    ['run.idle', { turnSeconds: [null, 200] }],
  ])
  await beat('B', 'working', ago(300))
  await beat('B', 'idle', ago(0))
  await client.appendTurn({ runId: 'B', prompt: 'Go' })
  assert.deepEqual(await told(ledger, 'B'), [['run.idle', { turnSeconds: [null, 300] }]])
  await beat('C', 'working', ago(119))
  await client.appendTurn({ runId: 'C', prompt: 'A short one', endedAt: ago(0) })
  await client.appendTurn({ runId: 'D', prompt: 'Nobody saw it begin', startedAt: ago(600) })
  await client.appendTurn({ runId: 'D', prompt: 'Another', startedAt: ago(500), endedAt: ago(10) })
  assert.deepEqual([await told(ledger, 'C'), await told(ledger, 'D')], [[], []])
})
