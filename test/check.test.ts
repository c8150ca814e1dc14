import assert from 'node:assert/strict'
import type { Client, Input } from '../src/client/client.ts'
import type { Ctx } from '../src/frame/ctx.ts'
import type { Check } from '../src/nouns/run/check/fields.ts'
import { operations } from '../src/operations/operations.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { overlap } from './support/overlap.ts'

/** A ledger with a run `A` that one key created, and a second key. */
async function actors({ client, as }: Ledger) {
  const maker = as({ key: (await client.createKey({ name: 'maker', permissions: ['write'] })).secret })
  const other = as({ key: (await client.createKey({ name: 'other', permissions: ['write'] })).secret })
  await maker.createRun({ runId: 'A', content: 'one', specId: 'S' })
  return { maker, other }
}

type Step = (a: {
  maker: Client
  other: Client
  check: (by: Client, more: Partial<Input<'createCheck'>>) => Promise<string>
}) => Promise<unknown>

const executed = { command: 'npm test', exitCode: 0 }

const walks: [what: string, steps: Step[], verdict: string, evidence: string | null][] = [
  ['no check', [], 'unchecked', null],
  ['a pass', [(a) => a.check(a.maker, {})], 'verified', 'self'],
  ['a claim with a command and its exit code', [(a) => a.check(a.maker, executed)], 'verified', 'self'],
  ['a pass of another key', [(a) => a.check(a.other, {})], 'verified', 'independent'],
  ['the weakest evidence', [(a) => a.check(a.other, {}), (a) => a.check(a.maker, { name: 'b' })], 'verified', 'self'],
  ['a fail', [(a) => a.check(a.other, {}), (a) => a.check(a.maker, { name: 'b', result: 'fail' })], 'failing', 'self'],
  [
    'a warn',
    [(a) => a.check(a.other, { result: 'warn' }), (a) => a.check(a.other, { name: 'b' })],
    'warned',
    'independent',
  ],
  [
    'fail before warn',
    [(a) => a.check(a.maker, { result: 'warn' }), (a) => a.check(a.maker, { name: 'b', result: 'fail' })],
    'failing',
    'self',
  ],
  [
    'the newest of a name',
    [(a) => a.check(a.maker, { result: 'fail' }), (a) => a.check(a.maker, {})],
    'verified',
    'self',
  ],
  [
    "an independent pass after the author's fail",
    [(a) => a.check(a.maker, { result: 'fail' }), (a) => a.check(a.other, {})],
    'verified',
    'independent',
  ],
  [
    "the author's pass after an independent fail",
    [(a) => a.check(a.other, { result: 'fail' }), (a) => a.check(a.maker, {})],
    'failing',
    'independent',
  ],
  [
    'a pass by who appended to the run',
    [(a) => a.other.appendToRun({ runId: 'A', text: 'all of it' }), (a) => a.check(a.other, {})],
    'verified',
    'self',
  ],
  [
    'an append by who had checked',
    [(a) => a.check(a.other, {}), (a) => a.other.appendToRun({ runId: 'A', text: 'more' })],
    'verified',
    'self',
  ],
  [
    'finishing after a check',
    [(a) => a.check(a.maker, {}), (a) => a.maker.updateRun({ runId: 'A', status: 'completed' })],
    'verified',
    'self',
  ],
  [
    'appending after a check',
    [(a) => a.check(a.maker, {}), (a) => a.maker.appendToRun({ runId: 'A', text: 'more' })],
    'verified',
    'self',
  ],
  [
    'labels after a check',
    [(a) => a.check(a.maker, {}), (a) => a.maker.updateRun({ runId: 'A', labels: { a: 'b' } })],
    'verified',
    'self',
  ],
  [
    'replaced content',
    [(a) => a.check(a.maker, {}), (a) => a.maker.updateRun({ runId: 'A', content: 'two' })],
    'stale',
    'self',
  ],
  [
    'the same content',
    [(a) => a.check(a.maker, {}), (a) => a.maker.updateRun({ runId: 'A', content: 'one' })],
    'verified',
    'self',
  ],
  [
    'another commit',
    [
      (a) => a.maker.updateRun({ runId: 'A', git: { commit: 'a' } }),
      (a) => a.check(a.maker, {}),
      (a) => a.maker.updateRun({ runId: 'A', git: { commit: 'b' } }),
    ],
    'stale',
    'self',
  ],
  [
    'a commit that is told later',
    [(a) => a.check(a.maker, {}), (a) => a.maker.updateRun({ runId: 'A', git: { commit: 'b' } })],
    'verified',
    'self',
  ],
  [
    'another spec',
    [(a) => a.check(a.maker, {}), (a) => a.maker.updateRun({ runId: 'A', specId: 'T' })],
    'stale',
    'self',
  ],
  [
    'reopening',
    [
      (a) => a.maker.updateRun({ runId: 'A', status: 'completed' }),
      (a) => a.check(a.maker, {}),
      (a) => a.maker.updateRun({ runId: 'A', status: 'in_progress' }),
    ],
    'stale',
    'self',
  ],
  [
    'a fail after an edit',
    [(a) => a.check(a.maker, { result: 'fail' }), (a) => a.maker.updateRun({ runId: 'A', content: 'two' })],
    'failing',
    'self',
  ],
  [
    'a check of the new work',
    [
      (a) => a.check(a.maker, {}),
      (a) => a.maker.updateRun({ runId: 'A', content: 'two' }),
      (a) => a.check(a.maker, {}),
    ],
    'verified',
    'self',
  ],
  [
    'one of two that is stale',
    [
      (a) => a.check(a.maker, { name: 'a' }),
      (a) => a.maker.updateRun({ runId: 'A', content: 'two' }),
      (a) => a.check(a.maker, { name: 'b' }),
    ],
    'stale',
    'self',
  ],
  [
    'a checker that changed the work',
    [(a) => a.other.updateRun({ runId: 'A', content: 'two' }), (a) => a.check(a.other, executed)],
    'verified',
    'self',
  ],
  [
    'a checker that changes the work later',
    [(a) => a.check(a.other, executed), (a) => a.other.updateRun({ runId: 'A', content: 'two' })],
    'stale',
    'self',
  ],
  ...(
    [
      { changes: { files: 1 } },
      { command: 'npm run build' },
      { exitCode: 1 },
      { status: 'completed' },
      { usage: { inputTokens: 1 } },
      { author: 'Bob <bob@example.com>' },
    ] as const
  ).map((patch): (typeof walks)[number] => [
    `a checker who sets ${Object.keys(patch)}`,
    [(a) => a.check(a.other, {}), (a) => a.other.updateRun({ runId: 'A', ...patch })],
    'verified',
    'self',
  ]),
  [
    'a checker who sets a title',
    [(a) => a.check(a.other, {}), (a) => a.other.updateRun({ runId: 'A', title: 'It' })],
    'verified',
    'independent',
  ],
  [
    'a result that is changed',
    [async (a) => a.maker.updateCheck({ checkId: await a.check(a.maker, { result: 'fail' }), result: 'pass' })],
    'verified',
    'self',
  ],
  [
    'a result that is changed after the work',
    [
      async (a) => {
        const checkId = await a.check(a.maker, { result: 'warn' })
        await a.maker.updateRun({ runId: 'A', content: 'two' })
        await a.maker.updateCheck({ checkId, result: 'pass' })
      },
    ],
    'verified',
    'self',
  ],
]

/** The verdict by what each check says about itself. */
function verdictBy(checks: Check[]) {
  const some = (result: Check['result']) => checks.some((check) => check.result === result)
  if (checks.length === 0) return 'unchecked'
  if (some('fail')) return 'failing'
  if (some('warn')) return 'warned'
  return checks.every(({ current }) => current) ? 'verified' : 'stale'
}

testLedger('the verdict follows the checks and the work, in every order', async (ledger) => {
  for (const [what, steps, verdict, evidence] of walks) {
    const { client } = ledger
    const { maker, other } = await actors(ledger)
    const check = async (by: Client, more: Partial<Input<'createCheck'>>) =>
      (await by.createCheck({ runId: 'A', result: 'pass', ...more })).check.checkId
    for (const step of steps) await step({ maker, other, check })
    const { run } = await client.getRun({ runId: 'A' })
    assert.deepEqual([run.verdict, run.evidence], [verdict, evidence], what)
    const { checks } = await client.listChecks({ runId: 'A' })
    assert.equal(verdictBy(checks.filter(({ counts }) => counts)), verdict, `${what}, by the checks that count`)
    assert.deepEqual(
      (await client.listRuns({ verdict: [run.verdict] })).runs.map(({ runId }) => runId),
      ['A'],
      what,
    )
    await client.deleteRun({ runId: 'A' })
    assert.equal((await client.listChecks()).checks.length, 0, 'checks go with their run')
  }
})

testLedger('a check with a run and a commit belongs to that run, and applies to that commit', async ({ client }) => {
  const [one, other] = ['1', '2'].map((digit) => digit.repeat(40))
  await client.createRun({ runId: 'A', git: { commit: one } })
  await client.createRun({ runId: 'B', git: { commit: other } })
  const verdictOf = async (runId: string) => (await client.getRun({ runId })).run.verdict
  const { check } = await client.createCheck({ runId: 'A', commit: other, result: 'pass' })
  assert.deepEqual([check.runId, check.commit], ['A', other])
  assert.deepEqual([await verdictOf('A'), await verdictOf('B')], ['stale', 'unchecked'])
  await client.createCheck({ runId: 'A', commit: one, result: 'pass' })
  assert.equal(await verdictOf('A'), 'verified')
  // With a run, the commit may be any revision, not only a full id.
  const { check: named } = await client.createCheck({ runId: 'A', commit: 'v1.2', result: 'pass' })
  assert.deepEqual([named.current, await verdictOf('A')], [false, 'verified'])
})

testLedger('a check by commit finds no run that is deleted meanwhile', async (ledger) => {
  const { client } = ledger
  const commit = 'a'.repeat(40)
  const { lease } = await client.createRun({ runId: 'A', leaseSeconds: 60, git: { commit, commits: [commit] } })
  await client.updateRun({ runId: 'A', status: 'completed', leaseToken: lease?.token })
  const check = () => assert.rejects(client.createCheck({ commit, result: 'pass' }), { code: 'NOT_FOUND' })
  await overlap(ledger, (ctx) => operations.deleteRun(ctx, { runId: 'A' }), check)
})

testLedger('a check that is recorded again on another run meanwhile counts for that run', async (ledger) => {
  const { client } = ledger
  for (const runId of ['A', 'B']) await client.createRun({ runId })
  await client.createCheck({ checkId: 'C', runId: 'A', result: 'pass' })
  const recordAgain = async (ctx: Ctx) => {
    await operations.deleteCheck(ctx, { checkId: 'C' })
    await operations.createCheck(ctx, { checkId: 'C', runId: 'B', name: 'tests', result: 'pass' })
  }
  await overlap(ledger, recordAgain, () => client.deleteCheck({ checkId: 'C' }))
  for (const runId of ['A', 'B']) assert.equal((await client.getRun({ runId })).run.verdict, 'unchecked', runId)
})

testLedger('a deleted check no longer counts, and the log has every change of the verdict', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'A' })
  await client.createCheck({ checkId: 'C', runId: 'A', result: 'pass', content: '# Log' })
  await client.createCheck({ runId: 'A', result: 'fail' })
  assert.deepEqual(await client.deleteCheck({ checkId: 'CHECK-001' }), { message: 'Check deleted successfully' })
  const { run } = await client.getRun({ runId: 'A' })
  assert.deepEqual([run.verdict, run.version], ['verified', 1], 'a verdict is no change of the run')
  const { events } = await client.listEvents({ type: ['run.updated'] })
  assert.deepEqual(
    events.map(({ changes }) => changes.verdict),
    [
      ['unchecked', 'verified'],
      ['verified', 'failing'],
      ['failing', 'verified'],
    ],
  )
})

testLedger(
  'a check is read, listed, changed only by its creator, and refused for an unknown run or a used id',
  async (ledger) => {
    const { client } = ledger
    const { maker, other } = await actors(ledger)
    const { check } = await maker.createCheck({
      runId: 'A',
      result: 'fail',
      ...executed,
      exitCode: 1,
      content: 'two fail',
    })
    assert.deepEqual([check.checkId, check.name, check.runId], ['CHECK-001', 'check', 'A'])
    assert.equal((await client.getCheck({ checkId: 'CHECK-001' })).check.content, 'two fail')
    const changed = await maker.updateCheck({ checkId: 'CHECK-001', content: 'two of nine fail', agent: 'ci' })
    assert.equal(changed.check.version, 2)
    for (const patch of [{ result: 'pass' }, { content: 'none fail' }, { command: 'true' }, { exitCode: 0 }] as const) {
      await assert.rejects(other.updateCheck({ checkId: 'CHECK-001', ...patch }), { code: 'FORBIDDEN' })
    }
    const agent = ledger.as({ key: (await client.createKey({ name: 'a', permissions: ['agent'] })).secret })
    await agent.createCheck({ runId: 'A', name: 'lint', result: 'warn' })
    assert.equal((await agent.updateCheck({ checkId: 'CHECK-002', content: 'two warnings' })).check.version, 2)
    await assert.rejects(agent.updateCheck({ checkId: 'CHECK-001', content: 'none fail' }), { code: 'FORBIDDEN' })
    await assert.rejects(agent.deleteCheck({ checkId: 'CHECK-002' }), { code: 'FORBIDDEN' })
    await assert.rejects(client.createCheck({ runId: 'NONE', result: 'pass' }), { code: 'NOT_FOUND' })
    await assert.rejects(client.createCheck({ checkId: 'CHECK-001', runId: 'A', result: 'pass' }), { code: 'CONFLICT' })
    const ids = async (input: Input<'listChecks'>) =>
      (await client.listChecks(input)).checks.map(({ checkId }) => checkId)
    assert.deepEqual(await ids({ runId: 'A' }), ['CHECK-002', 'CHECK-001'])
    assert.deepEqual(await ids({ result: ['fail', 'pass'] }), ['CHECK-001'])
    assert.deepEqual(await ids({ name: 'lint', runId: 'A' }), ['CHECK-002'])
    assert.deepEqual(await ids({ runId: 'NONE' }), [])
  },
)
