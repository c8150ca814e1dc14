import assert from 'node:assert/strict'
import { reap } from '../src/nouns/run/take-lease.ts'
import { testLedger } from './support/engines.ts'

testLedger('the story of a task: an attempt dies, the next is checked, changed and searched', async (ledger) => {
  const { client, as, store } = ledger
  await client.createProject({ slug: 'shop' })
  const key = async (name: string, permission: 'agent' | 'write' | 'read', project: string) =>
    as({ key: (await client.createKey({ name, permissions: [permission], project })).secret })
  const person = await key('person', 'write', 'shop')
  const agent = await key('agent', 'agent', 'shop')
  const ci = await key('ci', 'agent', 'shop')
  const stranger = await key('stranger', 'write', 'default')
  const { lastSeq: before } = (await person.listEvents({ limit: 100 })).meta

  await person.createSpec({ specId: 'AUTH-001', content: '# Log in with a passkey\n\n- [ ] button' })
  const { lease } = await agent.createRun({
    runId: 'TRY-1',
    specId: 'AUTH-001',
    agent: 'claude-code',
    leaseSeconds: 30,
  })
  for (const text of ['looked at src/auth/login.ts\n', 'adding the button\n']) {
    await agent.appendToRun({ runId: 'TRY-1', text, leaseToken: lease?.token })
  }
  ledger.advance(60_000)
  await reap(store.db, store.now())
  const { run: dead } = await person.getRun({ runId: 'TRY-1' })
  assert.deepEqual([dead.status, dead.failure?.code, dead.specVersion], ['failed', 'LEASE_EXPIRED', 1])

  const usage = { inputTokens: 1000, costUsd: 0.5 }
  const second = await agent.createRun({ runId: 'TRY-2', specId: 'AUTH-001', retryOf: 'TRY-1', leaseSeconds: 30 })
  const leaseToken = second.lease?.token
  await agent.updateRun({ runId: 'TRY-2', status: 'completed', content: 'added the passkey button', usage, leaseToken })
  await ci.createCheck({ runId: 'TRY-2', name: 'tests', result: 'pass', command: 'npm test', exitCode: 0 })
  const { run: good } = await person.getRun({ runId: 'TRY-2' })
  assert.deepEqual([good.attempt, good.verdict, good.evidence], [2, 'verified', 'independent'])

  await agent.updateRun({ runId: 'TRY-2', content: 'added the passkey button, and a tooltip' })
  assert.equal((await person.getRun({ runId: 'TRY-2' })).run.verdict, 'stale')
  const { totals } = (await person.getSpec({ specId: 'AUTH-001' })).spec
  assert.deepEqual(
    [totals.runs, totals.attempts, totals.byStatus.failed, totals.byStatus.completed, totals.costUsd],
    [2, 1, 1, 1, 0.5],
  )

  const { events } = await person.listEvents({ after: before, limit: 100 })
  assert.deepEqual(
    events.map(({ type, subject, actor }) => `${type} ${subject} ${actor.name ?? actor.kind}`),
    [
      'spec.created AUTH-001 person',
      'run.created TRY-1 agent',
      'run.updated TRY-1 agent',
      'run.updated TRY-1 agent',
      'run.updated TRY-1 system',
      'attention.created TRY-1 system',
      'run.created TRY-2 agent',
      'run.updated TRY-2 agent',
      'attention.cleared TRY-1 agent',
      'check.created CHECK-001 ci',
      'run.updated TRY-2 ci',
      'run.updated TRY-2 agent',
    ],
  )
  assert.deepEqual(events.at(-1)?.changes.verdict, ['verified', 'stale'])
  const search = async (q: string) => (await person.search({ q })).results.map(({ subject }) => subject)
  assert.deepEqual(
    [await search('login.ts'), await search('tooltip'), await search('passkey')],
    [['TRY-1'], ['TRY-2'], ['TRY-2', 'AUTH-001']],
  )

  assert.deepEqual(
    [
      (await stranger.listRuns()).runs,
      (await stranger.search({ q: 'passkey' })).results,
      (await stranger.listEvents()).events,
    ],
    [[], [], []],
  )
  await assert.rejects(stranger.getRun({ runId: 'TRY-1' }), { code: 'NOT_FOUND' })
})

testLedger(
  'a client that was offline for three lease times uploads its buffer, and nothing is lost or stored twice',
  async (ledger) => {
    const { client } = ledger
    const { lease } = await client.createRun({ runId: 'A', leaseSeconds: 20 })
    const leaseToken = lease?.token
    const lines = Array.from({ length: 10 }, (_, n) => `line ${n}\n`)
    let sent = 0
    const upload = async (text: string, idempotencyKey: string) => {
      await client.appendToRun({ runId: 'A', text, offset: sent, leaseToken }, { idempotencyKey })
      sent += Buffer.byteLength(text)
    }
    await upload(lines[0] as string, 'k0')
    ledger.advance(60_000)
    for (const [n, line] of lines.slice(1).entries()) {
      await upload(line, `k${n + 1}`)
      await client.appendToRun(
        { runId: 'A', text: line, offset: sent - line.length, leaseToken },
        { idempotencyKey: `k${n + 1}` },
      )
    }
    await client.updateRun({ runId: 'A', status: 'completed', leaseToken })
    const { run } = await client.getRun({ runId: 'A' })
    assert.deepEqual([run.status, run.failure, run.content], ['completed', null, lines.join('')])
  },
)
