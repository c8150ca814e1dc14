import assert from 'node:assert/strict'
import type { Client } from '../src/client/client.ts'
import { type Ledger, testLedger } from './support/engines.ts'

const commit = '1'.repeat(40)
const [a, b] = ['a', 'b'].map((digit) => digit.repeat(40)) as [string, string]

const required = ['tests']
const git = { commit, tree: a, commitTree: a, dirty: false, uncommitted: { count: 0, paths: [] } }
const edited = { ...git, tree: b, dirty: true, uncommitted: { count: 1, paths: ['x'] } }
const pass = { name: 'tests', result: 'pass', command: 'npm test', exitCode: 0 } as const
const ada = 'Ada <ada@example.com>'

/** A run whose recorder has seen no command, and what its agent has. */
interface Scene {
  ledger: Ledger
  runId: string
  /** The token of its recorder. */
  leaseToken: string
  /** The key that created the run. */
  agent: Client
  /** Another key of the same person. */
  second: Client
}

/** Calls that claim what nobody ran. They may return the run to judge, if it is another. */
type Forge = (scene: Scene) => Promise<unknown>

const refused = (call: Promise<unknown>, code: string) => assert.rejects(call, { code })

const attempts: Record<string, Forge> = {
  'a claim': ({ agent, runId }) => agent.createCheck({ runId, ...pass, tree: a, startTree: a, commit }),
  'a claim by another key of the person': ({ second, runId }) => second.createCheck({ runId, ...pass, tree: a }),
  'a claim by commit': async ({ second, agent, runId, leaseToken }) => {
    await agent.updateRun({ runId, changes: { files: 1 }, leaseToken })
    await second.createCheck({ commit, commitTree: a, ...pass })
  },
  'a claim with the token of the recorder, without a recorder': ({ agent, runId, leaseToken }) =>
    agent.createCheck({ runId, ...pass, leaseToken }),
  'a claim that is changed to one of a recorder': async ({ agent, runId }) => {
    const { check } = await agent.createCheck({ runId, ...pass })
    const patch = { checkId: check.checkId, recorder: 'hook' }
    await refused(agent.updateCheck(patch), 'VALIDATION_ERROR')
  },
  'a recorder without a token': ({ agent, runId }) =>
    refused(agent.createCheck({ runId, ...pass, recorder: 'hook' }), 'VALIDATION_ERROR'),
  'a recorder with the token of another run': async ({ agent, runId }) => {
    const { lease } = await agent.createRun({ leaseSeconds: 3600 })
    await refused(agent.createCheck({ runId, ...pass, recorder: 'hook', leaseToken: lease?.token }), 'FORBIDDEN')
  },
  'a recorder by commit': ({ agent, leaseToken }) =>
    refused(agent.createCheck({ commit, ...pass, recorder: 'exec', leaseToken }), 'VALIDATION_ERROR'),
  'a recorder with a lease that was taken later': async ({ agent, ledger, runId }) => {
    ledger.sleep(7_200_000)
    const { lease } = await agent.updateRun({ runId, leaseSeconds: 60 })
    await refused(agent.createCheck({ runId, ...pass, recorder: 'hook', leaseToken: lease?.token }), 'FORBIDDEN')
  },
  'a recorder of a run that was created again': async ({ agent, ledger, runId, leaseToken }) => {
    await ledger.client.deleteRun({ runId, leaseToken })
    await agent.createRun({ runId, git, required })
    await refused(agent.createCheck({ runId, ...pass, recorder: 'hook', leaseToken }), 'FORBIDDEN')
    await agent.createCheck({ runId, ...pass })
  },
  'a claim dated back': ({ agent, runId }) =>
    refused(agent.createCheck({ runId, ...pass, createdAt: '2020-01-01T00:00:00Z' }), 'FORBIDDEN'),
  'required names that change': async ({ agent, runId, leaseToken }) => {
    const patch = { runId, required: ['lint'], leaseToken }
    await refused(agent.updateRun(patch), 'VALIDATION_ERROR')
    await agent.createCheck({ runId, ...pass, name: 'lint' })
  },
  'another author, then a claim of the person': async ({ agent, second, runId, leaseToken }) => {
    await agent.updateRun({ runId, author: 'Eve <eve@example.com>', leaseToken })
    await second.createCheck({ runId, ...pass, tree: a })
  },
  'a key that names its own person': async ({ second, ledger, runId }) => {
    const key = (await ledger.client.listKeys({})).keys.find(({ name }) => name === 'second')
    await refused(second.updateKey({ id: key?.id ?? 0, person: 'Eve <eve@example.com>' }), 'FORBIDDEN')
    await second.createCheck({ runId, ...pass })
  },
  'a retry under another key of the person': async ({ agent, second, runId, leaseToken }) => {
    await agent.updateRun({ runId, status: 'failed', leaseToken })
    const { run } = await second.createRun({ retryOf: runId, git, required })
    await agent.createCheck({ runId: run.runId, ...pass })
    return run.runId
  },
}

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

const keys = new WeakMap<Ledger, Promise<Client[]>>()

function keysOf(ledger: Ledger): Promise<Client[]> {
  const keyOf = async (name: string) => {
    const { secret } = await ledger.client.createKey({ name, permissions: ['agent', 'write'], person: ada })
    return ledger.as({ key: secret })
  }
  const made = keys.get(ledger) ?? Promise.all(['agent', 'second'].map(keyOf))
  keys.set(ledger, made)
  return made
}

async function sceneIn(ledger: Ledger, title: string): Promise<Scene> {
  const [agent, second] = (await keysOf(ledger)) as [Client, Client]
  const { run, lease } = await agent.createRun({ title, git, required, leaseSeconds: 3600, author: ada })
  return { ledger, runId: run.runId, leaseToken: lease?.token ?? '', agent, second }
}
