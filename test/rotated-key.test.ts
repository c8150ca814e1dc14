import assert from 'node:assert/strict'
import type { Client } from '../src/client/client.ts'
import { type Ledger, testLedger } from './support/engines.ts'

const ada = 'Ada <ada@example.com>'
const [tree, commit] = ['a'.repeat(40), '1'.repeat(40)] as [string, string]
const git = { commit, tree, commitTree: tree, dirty: false, uncommitted: { count: 0, paths: [] } }

/** A client with a new agent key, for a person or for a service, and the number of the key. */
async function keyOf({ client, as }: Ledger, name: string, person?: string): Promise<{ id: number; client: Client }> {
  const { key, secret } = await client.createKey({ name, permissions: ['agent'], ...(person && { person }) })
  return { id: key.id, client: as({ key: secret }) }
}

const forbidden = (call: Promise<unknown>) => assert.rejects(call, { code: 'FORBIDDEN' })

testLedger("a person's next agent key goes on with a run by the token of its creation", async (ledger) => {
  const first = await keyOf(ledger, 'laptop', ada)
  const { run, lease } = await first.client.createRun({ leaseSeconds: 3600, git: { base: '0'.repeat(40) } })
  const [{ runId }, leaseToken] = [run, lease?.token]
  await first.client.appendTurn({ runId, prompt: 'One.', leaseToken })
  await ledger.client.revokeKey({ id: first.id })
  const { client: next } = await keyOf(ledger, 'laptop again', 'Ada Example <ADA@example.com>')

  await forbidden(next.appendTurn({ runId, prompt: 'Two.' }))
  await next.heartbeat({ runId, leaseToken })
  await next.appendTurn({ runId, prompt: 'Two.', leaseToken })
  const change = { status: 'added', insertions: 1, deletions: 0, patch: '@@ -0,0 +1 @@\n+a\n' } as const
  await next.addDiffs({ runId, turn: 2, diffs: [{ path: 'a.txt', change }], leaseToken })
  const check = { name: 'tests', result: 'pass', command: 'npm test', tree } as const
  await next.createCheck({ runId, ...check, recorder: 'hook', leaseToken })
  const changed = { git: { ...git, commits: [commit] }, status: 'completed' as const, changes: { files: 1 } }
  await next.updateRun({ runId, ...changed, leaseToken })
  const { run: done } = await next.getRun({ runId })
  assert.deepEqual([done.turns?.count, done.verdict, done.evidence], [2, 'verified', 'executed'])

  // Another run ends on the same commit: a check of the commit goes to the one that made it.
  await ledger.client.createRun({ runId: 'LATER', git, status: 'completed', changes: { files: 1 } })
  const { client: ci } = await keyOf(ledger, 'ci')
  const { checks } = await ci.createCheck({ ...check, commit, commitTree: tree })
  assert.deepEqual(
    checks?.map((one) => one.runId),
    [runId],
  )
  const { check: claim } = await next.createCheck({ runId, name: 'review', result: 'pass' })
  assert.equal(claim.evidence, 'self', 'two keys of one person are not independent')
})

testLedger('no other agent key goes on with a run, whatever token it has', async (ledger) => {
  const { client: laptop } = await keyOf(ledger, 'laptop', ada)
  const { run, lease } = await laptop.createRun({ leaseSeconds: 3600 })
  const [{ runId }, leaseToken] = [run, lease?.token]
  const { client: second } = await keyOf(ledger, 'desktop', ada)
  const { client: bob } = await keyOf(ledger, 'bob', 'Bob <bob@example.com>')
  const { client: ci } = await keyOf(ledger, 'ci')
  for (const other of [bob, ci]) {
    await forbidden(other.appendTurn({ runId, leaseToken }))
    await forbidden(other.updateRun({ runId, status: 'failed', leaseToken }))
    await forbidden(other.updateRun({ runId, leaseSeconds: 60, leaseToken }))
  }
  await forbidden(second.updateRun({ runId, title: 'x' }))
  await forbidden(second.updateRun({ runId, title: 'x', leaseToken: 'x'.repeat(32) }))
  const { lease: own } = await second.createRun({ leaseSeconds: 3600 })
  await forbidden(second.updateRun({ runId, title: 'x', leaseToken: own?.token }))

  // Services have no person to share.
  const { run: nightly, lease: night } = await ci.createRun({ leaseSeconds: 3600 })
  const { client: nextCi } = await keyOf(ledger, 'ci again')
  await forbidden(nextCi.appendTurn({ runId: nightly.runId, leaseToken: night?.token }))
})

testLedger('a lease that was taken later is not the token of the recorder', async (ledger) => {
  const { client: laptop } = await keyOf(ledger, 'laptop', ada)
  const { run } = await laptop.createRun({})
  const { lease } = await laptop.updateRun({ runId: run.runId, leaseSeconds: 60 })
  const { client: second } = await keyOf(ledger, 'desktop', ada)
  await forbidden(second.appendTurn({ runId: run.runId, leaseToken: lease?.token }))
})
