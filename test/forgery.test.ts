import assert from 'node:assert/strict'
import { test } from 'node:test'
import { a, attempts, b, edited, git, pass, refused, sceneIn } from './forgeries.ts'
import { testLedger } from './support/engines.ts'

test('the table has no fewer forgeries than once', () => {
  assert.ok(Object.keys(attempts).length >= 36)
})

testLedger('none above self: what nobody ran stays a claim', async (ledger) => {
  for (const [what, forge] of Object.entries(attempts)) {
    const scene = await sceneIn(ledger, what)
    const forged = await forge(scene)
    const runId = typeof forged === 'string' ? forged : scene.runId
    const { run } = await ledger.client.getRun({ runId })
    const { checks } = await ledger.client.listChecks({ runId })
    const above = checks.filter(({ evidence }) => evidence !== 'self')
    assert.deepEqual([run.verdict, run.evidence, above], ['unchecked', null, []], what)
    // A check by commit would find it.
    await ledger.client.deleteRun({ runId: scene.runId, leaseToken: scene.leaseToken }).catch(() => {})
  }
})

testLedger('nobody but the recorder brings a tested tree back', async (ledger) => {
  const { agent, second, runId, leaseToken } = await sceneIn(ledger, 'trees')
  await agent.createCheck({ runId, ...pass, recorder: 'hook', startTree: a, tree: a, leaseToken })
  await agent.updateRun({ runId, git: edited, leaseToken })
  await refused(agent.updateRun({ runId, git }), 'LEASE_HELD')
  await refused(agent.updateRun({ runId, git, leaseToken: 'x'.repeat(32) }), 'LEASE_LOST')
  for (const key of [agent, second]) {
    await key.createCheck({ runId, name: 'lint', result: 'pass', startTree: a, tree: b })
    await key.createCheck({ runId, ...pass, tree: b })
  }
  const { run } = await ledger.client.getRun({ runId })
  assert.deepEqual([run.verdict, run.evidence], ['stale', 'executed'])
})

testLedger(
  'after the end of a run, too, only its recorder changes the state that its checks are about',
  async (ledger) => {
    const { agent, runId, leaseToken } = await sceneIn(ledger, 'ended')
    await agent.createCheck({ runId, ...pass, recorder: 'hook', startTree: a, tree: a, leaseToken })
    await agent.updateRun({ runId, git: edited, status: 'completed', leaseToken })
    await refused(agent.updateRun({ runId, git }), 'FORBIDDEN')
    await refused(agent.appendTurn({ runId, git }), 'FORBIDDEN')
    await agent.updateRun({ runId, git: { ...edited, branch: 'side' } })
    const { run } = await ledger.client.getRun({ runId })
    assert.deepEqual([run.verdict, run.git?.branch], ['stale', 'side'])
  },
)

testLedger('a check of somebody else joins no two trees of a run', async (ledger) => {
  const { agent, runId, leaseToken } = await sceneIn(ledger, 'joined')
  const { secret } = await ledger.client.createKey({ name: 'ci', permissions: ['agent', 'write'] })
  await agent.createCheck({ runId, ...pass, recorder: 'hook', startTree: a, tree: a, leaseToken })
  await agent.updateRun({ runId, git: edited, leaseToken })
  await ledger.as({ key: secret }).createCheck({ runId, name: 'x', result: 'pass', startTree: a, tree: b })
  assert.equal((await ledger.client.getRun({ runId })).run.verdict, 'stale')
})
