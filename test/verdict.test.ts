import assert from 'node:assert/strict'
import type { Input } from '../src/client/client.ts'
import { testLedger } from './support/engines.ts'

const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(40)) as [string, string, string]
const [a, b] = ['a', 'b'].map((digit) => digit.repeat(40)) as [string, string]

type Git = NonNullable<Input<'updateRun'>['git']>
type Tested = Pick<Input<'createCheck'>, 'tree' | 'commit' | 'dirty'>
type Step = ['work', Git] | ['pass' | 'fail', Tested]

/** Steps between the creation of a run and the reading of its verdict. */
const walks: [what: string, steps: Step[], verdict: string][] = [
  [
    'edit, test, commit the same tree',
    [
      ['work', { commit: one, tree: a, dirty: true }],
      ['pass', { commit: one, tree: a, dirty: true }],
      ['work', { commit: two, tree: a, dirty: false }],
    ],
    'verified',
  ],
  [
    'test, then edit without a commit',
    [
      ['pass', { commit: one, tree: a, dirty: true }],
      ['work', { commit: one, tree: b, dirty: true }],
    ],
    'stale',
  ],
  [
    'test, edit, undo the edit',
    [
      ['pass', { commit: one, tree: a, dirty: true }],
      ['work', { commit: one, tree: b, dirty: true }],
      ['work', { commit: one, tree: a, dirty: true }],
    ],
    'verified',
  ],
  [
    'a scratch file that is never committed, and a check on the commit',
    [
      ['work', { commit: one, tree: b, dirty: false }],
      ['pass', { commit: one, tree: a, dirty: false }],
    ],
    'verified',
  ],
  [
    'a scratch file, and a check that knows only the commit',
    [
      ['work', { commit: one, tree: b, dirty: false }],
      ['pass', { commit: one }],
    ],
    'verified',
  ],
  [
    'changes that are not committed, and a check on the commit',
    [
      ['work', { commit: one, tree: b, dirty: true }],
      ['pass', { commit: one, tree: a, dirty: false }],
    ],
    'stale',
  ],
  [
    'the same where the check knows only the commit',
    [
      ['work', { commit: one, tree: b, dirty: true }],
      ['pass', { commit: one }],
    ],
    'stale',
  ],
  [
    'another branch with the same tree',
    [
      ['pass', { commit: one, tree: a, dirty: false }],
      ['work', { branch: 'other', commit: three, tree: a, dirty: false }],
    ],
    'verified',
  ],
  [
    'another branch with another tree',
    [
      ['pass', { commit: one, tree: a, dirty: false }],
      ['work', { branch: 'other', commit: three, tree: b, dirty: false }],
    ],
    'stale',
  ],
  [
    'commits alone, another one',
    [
      ['pass', { commit: one }],
      ['work', { commit: two }],
    ],
    'stale',
  ],
  [
    'commits alone, told before and after',
    [
      ['work', { commit: one }],
      ['pass', { commit: one }],
      ['work', { commit: one, dirty: false }],
    ],
    'verified',
  ],
  [
    'a check without a state, and an edit after it',
    [
      ['work', { commit: one, tree: a }],
      ['pass', {}],
      ['work', { commit: one, tree: b }],
    ],
    'stale',
  ],
  [
    'a check without a state, and a commit of the same tree after it',
    [
      ['work', { commit: one, tree: a }],
      ['pass', {}],
      ['work', { commit: two, tree: a }],
    ],
    'verified',
  ],
  [
    'no git at all',
    [
      ['pass', {}],
      ['work', {}],
    ],
    'verified',
  ],
  [
    'test, then edit, without a word about uncommitted changes',
    [
      ['work', { commit: one, tree: a }],
      ['pass', { commit: one, tree: a }],
      ['work', { commit: one, tree: b }],
    ],
    'stale',
  ],
  [
    'test, then move to another tree by way of an unknown one',
    [
      ['work', { tree: a }],
      ['pass', {}],
      ['work', { branch: 'main' }],
      ['work', { tree: b }],
    ],
    'stale',
  ],
  [
    'a failure stays one whatever the tree',
    [
      ['fail', { commit: one, tree: a }],
      ['work', { commit: one, tree: b }],
    ],
    'failing',
  ],
  [
    'ids of SHA-256',
    [
      ['pass', { commit: 'c'.repeat(64), tree: 'd'.repeat(64), dirty: false }],
      ['work', { commit: 'e'.repeat(64), tree: 'd'.repeat(64), dirty: false }],
    ],
    'verified',
  ],
]

testLedger("a verdict follows the tree of the run's work", async ({ client }) => {
  for (const [what, steps, verdict] of walks) {
    const { runId } = (await client.createRun({ status: 'in_progress' })).run
    for (const [did, state] of steps) {
      if (did === 'work') await client.updateRun({ runId, git: state as Git })
      else await client.createCheck({ runId, result: did, ...(state as Tested) })
    }
    await client.updateRun({ runId, status: 'completed' })
    assert.equal((await client.getRun({ runId })).run.verdict, verdict, what)
  }
})

testLedger('a key that sets the git state of a run is not independent of it', async ({ client, as }) => {
  const { secret } = await client.createKey({ name: 'ci', permissions: ['read', 'write'] })
  const other = as({ key: secret })
  const { runId } = (await client.createRun({})).run
  await other.updateRun({ runId, git: { tree: b } })
  await other.createCheck({ runId, result: 'pass', tree: b, command: 'true', exitCode: 0 })
  const { run } = await client.getRun({ runId })
  assert.deepEqual([run.verdict, run.evidence], ['verified', 'executed'])
})

testLedger('a failed command is not a passed check', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  const refusal = { code: 'VALIDATION_ERROR', message: /result: is 'pass', and exitCode is 1/ }
  await assert.rejects(client.createCheck({ runId, result: 'pass', exitCode: 1 }), refusal)
  const { check } = await client.createCheck({ runId, result: 'fail', exitCode: 1 })
  await assert.rejects(client.updateCheck({ checkId: check.checkId, result: 'pass' }), refusal)
  assert.equal((await client.updateCheck({ checkId: check.checkId, result: 'pass', exitCode: 0 })).check.result, 'pass')
})

testLedger('a check finds its run by commit', async ({ client }) => {
  await client.createRun({ runId: 'A', git: { commit: one, commits: [three, one] } })
  await client.createRun({ runId: 'B', git: { commit: two, dirty: false } })
  await client.createRun({ runId: 'C', git: { commit: three } })
  const checked = async (commit: string) => (await client.createCheck({ commit, result: 'pass' })).check.runId
  assert.deepEqual([await checked(one), await checked(two), await checked(three)], ['A', 'B', 'C'], 'the newest')
  assert.equal((await client.getRun({ runId: 'B' })).run.verdict, 'verified')
  await assert.rejects(checked(a), {
    code: 'NOT_FOUND',
    message: /No run of project 'default' made or ended on commit a/,
  })
  await assert.rejects(checked('1111111'), { code: 'VALIDATION_ERROR', message: /commit: must be a whole commit id/ })
  await assert.rejects(client.createCheck({ result: 'pass' }), {
    code: 'VALIDATION_ERROR',
    message: /runId: is required/,
  })
  await client.updateRun({ runId: 'C', git: { commit: two } })
  assert.equal(await checked(three), 'A', 'a commit that a run no longer names finds it no more')
})

testLedger('imported checks count by their time, in whatever order they arrive', async ({ client, as }) => {
  const other = as({ key: (await client.createKey({ name: 'ci', permissions: ['admin'] })).secret })
  const at = (minute: number) => `2026-01-05T12:0${minute}:00.000Z`
  type Past = [by: typeof client, checkId: string, minute: number, more: { result: 'pass' | 'fail'; commit?: string }]
  const histories: [what: string, checks: Past[], verdict: string, evidence: string, counting: string[]][] = [
    [
      'a fail, then a pass',
      [
        [client, 'A', 1, { result: 'fail' }],
        [client, 'B', 2, { result: 'pass' }],
      ],
      'verified',
      'self',
      ['B'],
    ],
    [
      'a pass on other work, then one on this',
      [
        [client, 'A', 1, { result: 'pass', commit: two }],
        [client, 'B', 2, { result: 'pass', commit: one }],
      ],
      'verified',
      'self',
      ['B'],
    ],
    [
      "a writer's fail, then an independent pass",
      [
        [client, 'A', 1, { result: 'fail' }],
        [other, 'B', 2, { result: 'pass' }],
      ],
      'verified',
      'independent',
      ['B'],
    ],
    [
      "an independent pass, then a writer's fail",
      [
        [other, 'A', 1, { result: 'pass' }],
        [client, 'B', 2, { result: 'fail' }],
      ],
      'failing',
      'self',
      ['A', 'B'],
    ],
  ]
  for (const [what, checks, verdict, evidence, counting] of histories) {
    for (const inserted of [checks, checks.toReversed()]) {
      const { runId } = (await client.createRun({ git: { commit: one }, createdAt: at(0) })).run
      for (const [by, checkId, minute, more] of inserted) {
        await by.createCheck({ runId, checkId: `${runId}-${checkId}`, createdAt: at(minute), ...more })
      }
      const { run } = await client.getRun({ runId })
      const told = (await client.listChecks({ runId })).checks
      assert.deepEqual([run.verdict, run.evidence], [verdict, evidence], what)
      assert.deepEqual(
        told.filter(({ counts }) => counts).map(({ checkId }) => checkId),
        counting.map((checkId) => `${runId}-${checkId}`).reverse(),
        what,
      )
      for (const { checkId, counts } of told) {
        assert.equal((await client.getCheck({ checkId })).check.counts, counts, what)
      }
    }
  }
})
