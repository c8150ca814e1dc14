import assert from 'node:assert/strict'
import { createClient, type Input } from '../src/client/client.ts'
import { localActor } from '../src/contract/actor.ts'
import { createApp } from '../src/server/app.ts'
import { base, testLedger } from './support/engines.ts'

const [one, two, three] = ['1', '2', '3'].map((digit) => digit.repeat(40)) as [string, string, string]
const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string]

type Git = NonNullable<Input<'updateRun'>['git']>
type Tested = Pick<Input<'createCheck'>, 'tree' | 'commit' | 'commitTree' | 'dirty'>
type Step = ['work', Git] | ['pass' | 'fail' | 'ci', Tested]

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
      ['ci', { commit: one, tree: a, dirty: false }],
    ],
    'verified',
  ],
  [
    'a scratch file, and a check that knows only the commit',
    [
      ['work', { commit: one, tree: b, dirty: false }],
      ['ci', { commit: one }],
    ],
    'verified',
  ],
  [
    "a new file after the author's tests of the clean commit",
    [
      ['pass', { commit: one, tree: a, dirty: false }],
      ['work', { commit: one, tree: b, dirty: false }],
    ],
    'stale',
  ],
  [
    'a module that is not committed, and a check on the commit',
    [
      ['work', { commit: one, tree: b, dirty: false, commitTree: a, uncommitted: { count: 1, paths: ['src/m.js'] } }],
      ['ci', { commit: one, tree: a, commitTree: a, dirty: false }],
    ],
    'stale',
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

testLedger("a verdict follows the tree of the run's work", async ({ client, as }) => {
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
  for (const [what, steps, verdict] of walks) {
    const { runId } = (await client.createRun({ status: 'in_progress' })).run
    for (const [did, state] of steps) {
      if (did === 'work') await client.updateRun({ runId, git: state as Git })
      else if (did === 'ci') await ci.createCheck({ runId, result: 'pass', ...(state as Tested) })
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
  assert.deepEqual([run.verdict, run.evidence], ['verified', 'self'])
})

testLedger('a failed command is not a passed check', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  const refusal = { code: 'VALIDATION_ERROR', message: /result: is 'pass', but exitCode is 1/ }
  await assert.rejects(client.createCheck({ runId, result: 'pass', exitCode: 1 }), refusal)
  const { check } = await client.createCheck({ runId, result: 'fail', exitCode: 1 })
  await assert.rejects(client.updateCheck({ checkId: check.checkId, result: 'pass' }), refusal)
  assert.equal((await client.updateCheck({ checkId: check.checkId, result: 'pass', exitCode: 0 })).check.result, 'pass')
})

testLedger('a check by commit goes to the runs that made it', async ({ client, as }) => {
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
  const other = as({ key: (await client.createKey({ name: 'other', permissions: ['agent'] })).secret })
  const changed = { changes: { files: 1 } }
  const record = (by: typeof client, runId: string, git: Git, more = {}) =>
    by.createRun({ runId, git, leaseSeconds: 3600, ...more })
  await record(client, 'MADE', { commit: one, commits: [three, one] }, changed)
  await record(client, 'STOOD', { commit: one })
  await record(client, 'ON-TOP', { commit: one }, changed)
  await client.createRun({ runId: 'CLAIMS', git: { commits: [one] } })
  const checked = async (commit: string, more = {}) => {
    const { check, checks } = await ci.createCheck({ commit, result: 'pass', ...more })
    assert.deepEqual(checks[0], check)
    assert.deepEqual(
      checks.map(({ linkedTo }) => linkedTo),
      [null, ...checks.slice(1).map(() => check.checkId)],
    )
    return checks.map(({ runId }) => runId)
  }
  assert.deepEqual(await checked(one), ['MADE'], 'not those that only stood on it, or claim it without a recorder')
  assert.deepEqual(await checked(three), ['MADE'])
  await record(other, 'DECOY', { commits: [one] })
  assert.deepEqual(await checked(one, { result: 'fail' }), ['DECOY', 'MADE'], 'a later claim takes nothing away')
  assert.equal((await client.getRun({ runId: 'MADE' })).run.verdict, 'failing')

  await record(client, 'ENDED', { commit: two }, changed)
  assert.deepEqual(await checked(two), ['ENDED'])
  await record(other, 'LATE', { commits: [two] })
  assert.deepEqual(await checked(two), ['LATE', 'ENDED'], 'nor from a run that ended on it')

  await record(client, 'TREE', { commit: two, commitTree: b }, changed)
  assert.deepEqual(await checked('4'.repeat(40), { commitTree: b }), ['TREE'], 'a rebase that changed nothing')
  await record(client, 'VISITOR', { commit: '5'.repeat(40) })
  await assert.rejects(checked('5'.repeat(40)), { code: 'NOT_FOUND', message: /'VISITOR', changed nothing/ })
  const began = { base: '6'.repeat(40), commit: '6'.repeat(40), commitTree: c }
  await record(client, 'BEGAN', began, changed)
  const atBegin = { code: 'NOT_FOUND', message: /'BEGAN', changed nothing/ }
  await assert.rejects(checked(began.commit), atBegin, 'what it changed is not in the commit on which it began')
  await assert.rejects(checked('7'.repeat(40), { commitTree: c }), { code: 'NOT_FOUND' })
  await assert.rejects(checked(a), { code: 'NOT_FOUND', message: /made or ended on commit a.*check out its head/ })
  await assert.rejects(checked('1111111'), { code: 'VALIDATION_ERROR', message: /commit: must be a whole commit id/ })
  await assert.rejects(client.createCheck({ result: 'pass' }), {
    code: 'VALIDATION_ERROR',
    message: /runId: is required/,
  })
})

testLedger('a run that says late that it made a commit takes its checks from one of its own key', async (ledger) => {
  const { client, as, advance } = ledger
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
  await client.createRun({ runId: 'ENDED', git: { base: two, commit: one }, changes: { files: 1 } })
  advance(1_000)
  await client.createRun({ runId: 'MADE', git: { commits: [one] }, leaseSeconds: 3600 })
  const { checks } = await ci.createCheck({ commit: one, result: 'pass' })
  assert.deepEqual(
    checks.map(({ runId }) => runId),
    ['MADE'],
  )
})

testLedger("a check of somebody else's commit of all the work goes to the run", async ({ client, as }) => {
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
  const [none, left] = [
    { count: 0, paths: [] },
    { count: 1, paths: ['src/a.js'] },
  ]
  const git = { base: one, commit: one, commitTree: a, tree: b, dirty: true, uncommitted: left }
  const changed = { changes: { files: 1 } }
  await client.createRun({ runId: 'WORK', git, ...changed })
  await client.createRun({ runId: 'REVIEW', git })
  await client.createRun({ runId: 'BESIDE', git: { ...git, uncommitted: none }, ...changed })
  await client.createRun({ runId: 'MORE', git: { ...git, tree: c }, ...changed })
  const checked = async (result: 'pass' | 'fail', more = {}) => {
    const { checks } = await ci.createCheck({ commit: two, commitTree: b, tree: b, dirty: false, result, ...more })
    assert.deepEqual(
      checks.map(({ runId }) => runId),
      ['WORK'],
    )
    const { run } = await client.getRun({ runId: 'WORK' })
    return [run.verdict, run.evidence, run.why]
  }
  assert.deepEqual(await checked('fail'), ['failing', 'independent', '`check` failed, says ci (independent)'])
  const cached = { tree: '9'.repeat(40), startTree: b }
  const verified = ['verified', 'independent', 'Checked by ci (independent); the key names no person']
  assert.deepEqual(await checked('pass', cached), verified, 'CI may leave caches')
  await client.updateRun({ runId: 'WORK', git: { ...git, tree: c } })
  assert.equal((await client.getRun({ runId: 'WORK' })).run.verdict, 'stale')
  await assert.rejects(ci.createCheck({ commit: two, commitTree: b, result: 'pass' }), { code: 'NOT_FOUND' })
})

testLedger('no run takes a check of a commit from the run whose work it is', async ({ client, as }) => {
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
  const uncommitted = { count: 1, paths: ['src/a.js'] }
  const changes = { files: 1 }
  await client.createRun({
    runId: 'WORK',
    git: { base: one, commit: one, commitTree: a, tree: b, uncommitted },
    changes,
  })
  await client.createRun({
    runId: 'PULL',
    git: { base: one, commit: two, commitTree: b, tree: c, uncommitted },
    changes,
  })
  const checked = async () => {
    await ci.createCheck({ commit: two, commitTree: b, tree: b, dirty: false, result: 'pass' })
    const { runs } = await client.listRuns({})
    return runs.map(({ runId, verdict }) => [runId, verdict])
  }
  const [pull, work] = [
    ['PULL', 'stale'],
    ['WORK', 'verified'],
  ]
  assert.deepEqual(await checked(), [pull, work])
  await client.deleteCheck({ checkId: 'CHECK-002' })
  const made = { base: one, commit: two, commitTree: b, tree: b, commits: [two] }
  await client.createRun({ runId: 'COMMITTER', git: made, leaseSeconds: 3600, changes })
  assert.deepEqual(await checked(), [['COMMITTER', 'verified'], pull, work], 'nor does the session that commits it')
})

testLedger('a check by the tree of a commit goes to a hundred runs at most', async ({ client, as }) => {
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
  const committed = { base: two, commit: one, commitTree: b, tree: b }
  const left = { base: one, commit: one, commitTree: a, tree: b, uncommitted: { count: 1, paths: [] } }
  for (let n = 0; n < 60; n++) {
    for (const git of [committed, left]) await client.createRun({ git, changes: { files: 1 } })
  }
  const { checks } = await ci.createCheck({ commit: three, commitTree: b, result: 'pass' })
  assert.equal(checks.length, 100)
})

testLedger('a check by commit finds who made it among many that began there', async ({ client, as }) => {
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
  await client.createRun({ runId: 'MADE', git: { commits: [one] }, leaseSeconds: 3600 })
  await Promise.all(Array.from({ length: 101 }, () => client.createRun({ git: { commit: one } })))
  const { checks } = await ci.createCheck({ commit: one, result: 'fail' })
  assert.deepEqual(
    checks.map(({ runId }) => runId),
    ['MADE'],
  )
})

testLedger('a check of several runs is changed and deleted one by one', async ({ client, as }) => {
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['write'] })).secret })
  for (const runId of ['A', 'B']) await client.createRun({ runId, git: { commits: [one] }, leaseSeconds: 3600 })
  const { checks } = await ci.createCheck({ checkId: 'CI', commit: one, result: 'fail', content: 'two fail' })
  assert.deepEqual(
    checks.map(({ checkId, runId }) => [checkId, runId]),
    [
      ['CI', 'B'],
      ['CHECK-001', 'A'],
    ],
  )
  const verdicts = async () => (await client.listRuns({ order: 'asc' })).runs.map(({ verdict }) => verdict)
  await ci.updateCheck({ checkId: 'CHECK-001', result: 'pass' })
  assert.deepEqual(await verdicts(), ['verified', 'failing'])
  await client.deleteCheck({ checkId: 'CI' })
  assert.deepEqual(await verdicts(), ['verified', 'unchecked'])
  assert.equal((await client.getCheck({ checkId: 'CHECK-001' })).check.content, 'two fail')
})

testLedger('a run, its events and the list of those that need attention give one reason', async ({ client }) => {
  for (const required of [undefined, ['tests']]) {
    const { run } = await client.createRun({ status: 'failed', ...(required && { required }) })
    const { runId } = run
    const bare = required ? '`tests` has not run' : 'No check has run'
    const told = async () => {
      const { attention = [] } = await client.listAttention({ runId: [runId] })
      return [(await client.getRun({ runId })).run.why, attention[0]?.run.why]
    }
    assert.deepEqual(await told(), [bare, bare])
    const { check } = await client.createCheck({ runId, name: 'tests', result: 'fail' })
    const failed = '`tests` failed, as its author claims'
    assert.deepEqual(await told(), [failed, failed])
    await client.deleteCheck({ checkId: check.checkId })
    assert.deepEqual(await told(), [bare, bare])
    const { events } = await client.listEvents({ subject: runId, type: ['run.updated'] })
    const moves = events.map(({ changes }) => changes.why)
    assert.deepEqual(moves, [
      [bare, failed],
      [failed, bare],
    ])
  }
})

testLedger('only the recorder of a run can say that it saw a command', async ({ client, as }) => {
  const agent = as({ key: (await client.createKey({ name: 'agent', permissions: ['agent', 'write'] })).secret })
  const { run, lease } = await agent.createRun({ leaseSeconds: 3600, required: ['tests'] })
  const { runId } = run
  assert.deepEqual([run.required, run.why], [['tests'], '`tests` has not run'])
  const leaseToken = lease?.token ?? ''
  const seen = { runId, name: 'tests', recorder: 'hook', command: 'npm test' } as const
  const fail = { ...seen, result: 'fail', exitCode: 1 } as const
  await assert.rejects(agent.createCheck(fail), {
    code: 'VALIDATION_ERROR',
    message: /recorder: needs the Lease-Token/,
  })
  await assert.rejects(agent.createCheck({ ...fail, leaseToken: 'x'.repeat(32) }), { code: 'FORBIDDEN' })
  const claim = { runId, name: 'tests', result: 'pass', command: 'npm test', exitCode: 0 } as const
  const told = async () => {
    const { verdict, evidence, why } = (await client.getRun({ runId })).run
    return [verdict, evidence, why]
  }
  await agent.createCheck(claim)
  assert.deepEqual(await told(), ['unchecked', null, 'Nobody saw `tests` run, and its author claims a pass'])
  const { check } = await agent.createCheck({ ...fail, leaseToken })
  assert.deepEqual([check.evidence, check.recorder], ['executed', 'hook'])
  assert.deepEqual(await told(), ['failing', 'executed', '`npm test` failed'])
  await agent.createCheck(claim)
  assert.deepEqual(await told(), ['failing', 'executed', '`npm test` failed'], 'a claim clears nothing')
  await assert.rejects(agent.updateCheck({ checkId: check.checkId, result: 'pass', exitCode: 0 }), {
    code: 'FORBIDDEN',
    message: /A recorder saw check/,
  })
  assert.equal((await agent.updateCheck({ checkId: check.checkId, agent: 'codex' })).check.agent, 'codex')
  const { checkId } = check
  await agent.updateCheck({ checkId, content: 'Changed: package.json.' })
  await agent.updateCheck({ checkId, content: 'Changed: package.json.\n\nTwo of nine fail.' })
  await assert.rejects(agent.updateCheck({ checkId, content: 'Two of nine fail.' }), { code: 'FORBIDDEN' })
  await agent.updateRun({ runId, status: 'completed', leaseToken })
  await agent.createCheck({ ...seen, result: 'pass', exitCode: 0, leaseToken })
  assert.deepEqual(await told(), ['verified', 'executed', "The author's recorder saw `npm test` pass"], 'after the end')
  assert.deepEqual(
    (await client.listRuns()).runs.map(({ why }) => why),
    ["The author's recorder saw `npm test` pass"],
  )
})

testLedger(
  'no other key moves the work of which a recorder saw checks, by any field that says what it is',
  async (ledger) => {
    const { client } = ledger
    const git = { branch: 'main', commit: one, tree: a, commitTree: b, uncommitted: { count: 1, paths: ['x.js'] } }
    const { run, lease } = await client.createRun({ leaseSeconds: 3600, git })
    const [{ runId }, leaseToken] = [run, lease?.token]
    await client.createCheck({ runId, name: 'tests', result: 'pass', tree: a, recorder: 'hook', leaseToken })
    await client.updateRun({ runId, status: 'completed', leaseToken })
    const moves: Git[] = [{ commit: two }, { tree: b }, { commitTree: a }, { uncommitted: { count: 0, paths: [] } }]
    for (const move of moves) {
      await assert.rejects(
        client.updateRun({ runId, git: { ...git, ...move } }),
        { code: 'FORBIDDEN' },
        JSON.stringify(move),
      )
    }
    await client.updateRun({ runId, git: { ...git, branch: 'next' } })
  },
)

testLedger('a person is nobody else with another key', async ({ client, as }) => {
  const keyOf = async (name: string, person?: string) =>
    as({ key: (await client.createKey({ name, permissions: ['write'], ...(person && { person }) })).secret })
  const ada = await keyOf('ada', 'Ada <ada@example.com>')
  const second = await keyOf('second', 'Ada L. <ADA@example.com>')
  const bob = await keyOf('bob', 'Bob <bob@example.com>')
  const service = await keyOf('service')
  const evidenceOf = async (by: typeof client, of: typeof client, author?: string) => {
    const { runId } = (await of.createRun(author ? { author } : {})).run
    const { check } = await by.createCheck({ runId, result: 'pass' })
    return [check.evidence, (await client.getRun({ runId })).run.why]
  }
  const claimed = ['self', 'Claimed by its author']
  assert.deepEqual(await evidenceOf(second, ada), claimed, 'two keys of a person')
  assert.deepEqual(await evidenceOf(bob, ada), ['independent', 'Checked by bob (independent)'])
  assert.deepEqual(await evidenceOf(bob, service, 'Bob B. <Bob@Example.com>'), claimed, 'the author')
  assert.deepEqual(await evidenceOf(service, ada), [
    'independent',
    'Checked by service (independent); the key names no person',
  ])
  const { runId } = (await service.createRun({})).run
  const { check } = await second.createCheck({ runId, result: 'pass' })
  await ada.appendToRun({ runId, text: 'more' })
  assert.equal((await client.getCheck({ checkId: check.checkId })).check.evidence, 'self', 'a person who wrote to it')
  await client.updateRun({ runId, author: 'Bob <bob@example.com>' })
  const { check: late } = await bob.createCheck({ runId, result: 'pass' })
  assert.equal(late.evidence, 'self', 'an author who is set later')
})

testLedger('a claim by whoever is at the database is independent of nobody', async ({ client, store }) => {
  const app = createApp({ store, actor: localActor })
  const local = createClient({ url: base, fetch: (request) => app.fetch(request) })
  const { runId } = (await client.createRun({})).run
  const { check } = await local.createCheck({ runId, name: 'tests', result: 'pass' })
  const { run } = await client.getRun({ runId })
  assert.deepEqual([check.evidence, run.verdict, run.evidence], ['self', 'verified', 'self'])
})

testLedger('an author who is named after a check is not independent of the run', async ({ client, as }) => {
  const person = 'Bob <bob@example.com>'
  const bob = as({ key: (await client.createKey({ name: 'bob', permissions: ['write'], person })).secret })
  const { runId } = (await client.createRun({})).run
  await bob.createCheck({ runId, name: 'review', result: 'pass' })
  assert.equal((await client.getRun({ runId })).run.evidence, 'independent')
  const { run } = await client.updateRun({ runId, author: 'Bob B. <BOB@example.com>' })
  assert.deepEqual([run.evidence, run.why], ['self', 'Claimed by its author'])
})

testLedger('what a key does after its person was named is theirs', async ({ client, as }) => {
  const person = 'Ada Example <ada@example.com>'
  const keyOf = async (name: string, person?: string) => {
    const { key, secret } = await client.createKey({ name, permissions: ['write'], ...(person && { person }) })
    return { id: key.id, caller: as({ key: secret }) }
  }
  const [creator, writer, other] = [await keyOf('creator'), await keyOf('writer'), await keyOf('other', person)]
  const evidenceOf = async (runId: string) => {
    await other.caller.createCheck({ runId, name: 'tests', result: 'pass' })
    return (await client.getRun({ runId })).run.evidence
  }
  for (const [runId, { id, caller }] of Object.entries({ W: writer, C: creator })) {
    await creator.caller.createRun({ runId })
    await caller.appendToRun({ runId, text: 'Before.\n' })
    await client.updateKey({ id, person })
    assert.equal(await evidenceOf(runId), 'independent', 'it has done nothing since')
    await caller.appendToRun({ runId, text: 'After.\n' })
    assert.equal((await client.getRun({ runId })).run.evidence, 'self')
  }
})

testLedger('no person is independent of a key under which two persons wrote', async ({ client, as }) => {
  const [ada, bob, cleo] = ['Ada <ada@example.com>', 'Bob <bob@example.com>', 'Cleo <cleo@example.com>']
  const keyOf = async (person?: string) => {
    const name = person ?? 'service'
    const { key, secret } = await client.createKey({ name, permissions: ['write'], ...(person && { person }) })
    return { id: key.id, caller: as({ key: secret }) }
  }
  const passed = await keyOf(ada)
  const { runId } = (await client.createRun({})).run
  await passed.caller.appendToRun({ runId, text: 'By Ada.\n' })
  await client.updateKey({ id: passed.id, person: bob })
  await passed.caller.appendToRun({ runId, text: 'By Bob.\n' })
  for (const person of [ada, bob, cleo]) {
    const { caller } = await keyOf(person)
    assert.equal((await caller.createCheck({ runId, result: 'pass' })).check.evidence, 'self', person)
  }
  const { caller } = await keyOf()
  assert.equal((await caller.createCheck({ runId, result: 'pass' })).check.evidence, 'independent', 'a service')
})

testLedger('a key that opens a turn or adds diffs is not independent of the run', async ({ client, as }) => {
  const { secret } = await client.createKey({ name: 'other', permissions: ['write'] })
  const other = as({ key: secret })
  const patch = '@@ -0,0 +1 @@\n+x\n'
  const diffs: Input<'addDiffs'>['diffs'] = [{ path: 'a', change: { status: 'added', patch } }]
  const writes: ((runId: string) => Promise<unknown>)[] = [
    (runId) => other.appendTurn({ runId, open: true, prompt: 'Go on.' }),
    (runId) => other.heartbeat({ runId, turn: { files: [{ path: 'a' }] } }),
    (runId) => other.addDiffs({ runId, turn: 1, diffs }),
  ]
  for (const [index, write] of writes.entries()) {
    const runId = `R-${index}`
    await client.createRun({ runId, status: 'in_progress' })
    if (index > 0) await client.appendTurn({ runId, prompt: 'Begin.', ...(index === 1 && { open: true }) })
    await other.createCheck({ runId, name: 'tests', result: 'pass' })
    assert.equal((await client.getRun({ runId })).run.evidence, 'independent')
    await write(runId)
    const { run } = await client.getRun({ runId })
    assert.deepEqual([run.evidence, run.verdict], ['self', 'verified'], runId)
  }
})

testLedger('without trees, a check applies until files may have been written', async ({ client }) => {
  const { run, lease } = await client.createRun({ leaseSeconds: 3600 })
  const { runId } = run
  const leaseToken = lease?.token ?? ''
  await client.createCheck({ runId, result: 'pass', recorder: 'hook', command: 'npm test', exitCode: 0, leaseToken })
  const verdict = async () => (await client.getRun({ runId })).run.verdict
  await client.appendTurn({ runId, prompt: 'test', leaseToken })
  assert.equal(await verdict(), 'verified')
  await client.updateRun({ runId, touched: true, leaseToken })
  assert.equal(await verdict(), 'stale')
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

testLedger('what a turn does not say of the repository is unknown from then on', async ({ client, as }) => {
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
  const none = { count: 0, paths: [] }
  const { runId } = (await client.createRun({ git: { commit: one, tree: a, commitTree: a, uncommitted: none } })).run
  await ci.createCheck({ runId, result: 'pass', commit: two, tree: b, commitTree: b, dirty: false })
  const turn = async (git: Git) => {
    await client.appendTurn({ runId, prompt: 'Go on', git })
    const { run } = await client.getRun({ runId })
    return [run.verdict, run.git?.uncommitted, run.git?.commitTree]
  }
  assert.deepEqual(await turn({ commit: two, tree: a, commitTree: b, uncommitted: none }), ['verified', none, b])
  assert.deepEqual(await turn({ commit: two, tree: a, dirty: false }), ['stale', null, undefined])
  const left = { count: 21, paths: ['src/h.js'] }
  await turn({ commit: two, tree: c, commitTree: b, uncommitted: left })
  await ci.createCheck({ runId, result: 'pass', tree: c })
  const { why } = (await client.getRun({ runId })).run
  assert.equal(why, 'Checked by ci (independent); the key names no person; not committed: src/h.js and 20 more')
})

testLedger('a claim that only says where its command began is not about the work as it stands', async ({ client }) => {
  const { runId } = (await client.createRun({ git: { tree: a } })).run
  const claim = async (given: Tested & { startTree?: string }) =>
    (await client.createCheck({ runId, name: 'tests', result: 'pass', ...given })).check
  assert.equal((await claim({ startTree: b })).current, false, 'files changed while it ran')
  assert.equal((await client.getRun({ runId })).run.verdict, 'stale')
  assert.equal((await claim({})).current, true)
})

testLedger('what an independent check leaves beside tracked files is not the work', async ({ client, as }) => {
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
  const git = { commit: one, tree: a, commitTree: a, uncommitted: { count: 0, paths: [] } }
  const verdictOf = async (by: typeof client, seen: { dirty?: boolean; commitTree?: string }) => {
    const { runId } = (await client.createRun({ git })).run
    await by.createCheck({ runId, result: 'pass', commit: one, commitTree: a, startTree: b, ...seen })
    return (await client.getRun({ runId })).run.verdict
  }
  assert.equal(await verdictOf(ci, { dirty: false }), 'verified')
  assert.equal(await verdictOf(ci, { dirty: true }), 'stale')
  assert.equal(await verdictOf(ci, {}), 'stale', 'nobody says that no tracked file changed')
  assert.equal(await verdictOf(client, { dirty: false }), 'stale')
})

testLedger(
  'the pass of CI on the commit of a run counts, unless nobody knows what else the run has',
  async ({ client, as }) => {
    const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
    const verdictOn = async (git: Git) => {
      const { runId } = (await client.createRun({ status: 'completed', git })).run
      await ci.createCheck({ runId, result: 'pass', ...(git.commit && { commit: one, dirty: false }) })
      return (await client.getRun({ runId })).run.verdict
    }
    assert.equal(await verdictOn({ commit: one, dirty: false, uncommitted: null }), 'verified')
    assert.equal(await verdictOn({ branch: 'main', uncommitted: null }), 'verified')
    assert.equal(await verdictOn({ commit: one, uncommitted: null }), 'stale')
  },
)

testLedger('a run that names only the commits that it made is on the last of them', async ({ client, as }) => {
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
  const { runId } = (await client.createRun({ git: { commits: [one, two] } })).run
  for (const [commit, current] of [
    [one, false],
    [two, true],
  ] as const) {
    const { check } = await ci.createCheck({ runId, name: 'tests', result: 'pass', commit })
    assert.equal(check.current, current, commit)
  }
})

testLedger('checks of several runs come in one list', async ({ client }) => {
  for (const runId of ['A', 'B', 'C']) {
    await client.createRun({ runId })
    await client.createCheck({ runId, result: 'pass' })
  }
  const idsOf = async (runId: string | string[]) =>
    (await client.listChecks({ runId, order: 'asc' })).checks.map(({ runId }) => runId)
  assert.deepEqual(await idsOf(['C', 'A', 'A', 'NONE']), ['A', 'C'])
  assert.deepEqual(await idsOf('B'), ['B'])
  assert.deepEqual(await idsOf([]), ['A', 'B', 'C'], 'no id is no filter')
})

testLedger('only another admin key says whose a key is', async ({ client, as }) => {
  const { key, secret } = await client.createKey({ name: 'second', permissions: ['admin'], machine: 'laptop' })
  const second = as({ key: secret })
  const person = 'Ada Example <ada@example.com>'
  await assert.rejects(second.updateKey({ id: key.id, person }), {
    code: 'FORBIDDEN',
    message: /cannot set its own name, person or machine/,
  })
  await assert.rejects(client.updateKey({ id: key.id, person: 'Ada' }), { code: 'VALIDATION_ERROR' })
  await assert.rejects(client.updateKey({ id: 9999, person }), { code: 'NOT_FOUND' })
  const { key: named } = await client.updateKey({ id: key.id, person })
  assert.deepEqual([named.person, named.machine], [person, 'laptop'])
  const me = await second.me()
  assert.deepEqual([me.person, me.machine, me.key?.person], [person, 'laptop', person])
  assert.equal((await client.updateKey({ id: key.id, person: null, machine: null })).key.person, null)
  const { events } = await client.listEvents({ type: ['key.updated'] })
  assert.deepEqual(
    events.map(({ changes }) => changes.person),
    [
      [null, person],
      [person, null],
    ],
  )
})
