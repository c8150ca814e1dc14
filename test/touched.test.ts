import assert from 'node:assert/strict'
import { documentOf } from './agents/documents.ts'
import { type Ledger, testLedger } from './support/engines.ts'

type Turn = Partial<Parameters<Ledger['client']['appendTurn']>[0]>

/** A client with a key of its own, as that of a pipeline. */
async function keyOf({ client, as }: Ledger, name: string) {
  return as({ key: (await client.createKey({ name, permissions: ['agent'] })).secret })
}

/** The verdict on a run that somebody else checked, after a turn. */
async function verdictAfter(ledger: Ledger, turn: Turn): Promise<string> {
  const { client } = ledger
  const ci = await keyOf(ledger, 'ci')
  const { runId } = (await client.createRun({ content: 'one' })).run
  await ci.createCheck({ runId, name: 'tests', command: 'npm test', result: 'pass' })
  await client.appendTurn({ runId, prompt: 'more', ...turn })
  return (await client.getRun({ runId })).run.verdict
}

const commands = (...lines: string[]) => ({ commands: lines.map((command) => ({ command, exitCode: 0 })) })

testLedger('without trees, a turn that may have written files outdates the checks', async (ledger) => {
  const turns: [turn: Turn, verdict: string][] = [
    [{ answer: 'Nothing to do.' }, 'verified'],
    [{ files: [{ path: 'x.js' }] }, 'stale'],
    [{ filesOmitted: 3 }, 'stale'],
    [{ restored: ['x.js'] }, 'stale'],
    [{ uncredited: { files: 3, sessions: 2 } }, 'stale'],
    [{ git: { commits: ['c'.repeat(40)] } }, 'stale'],
    [{ tools: [{ name: 'Write', count: 1 }] }, 'stale'],
    [{ tools: [{ name: 'Write', count: 2, failed: 1, refused: 1 }] }, 'verified'],
    [{ tools: [{ name: 'apply_patch', count: 1 }] }, 'stale'],
    [{ tools: [{ name: 'mcp__files__save', count: 1 }] }, 'stale'],
    [{ tools: [{ name: 'mcp__files__save', count: 1, refused: 1 }] }, 'verified'],
    [
      {
        tools: ['Read', 'Grep', 'TodoWrite', 'Task', 'mcp__conduct__record_check'].map((name) => ({ name, count: 1 })),
      },
      'verified',
    ],
    [{ tools: [{ name: 'Bash', count: 1 }] }, 'stale'],
    [{ tools: [{ name: 'Bash', count: 1 }], ...commands('git status') }, 'verified'],
    [commands('sed -i s/a/b/ x.js'), 'stale'],
    [commands('cd src && git log -3 | head', 'rg cart 2>/dev/null; ls 2>&1', 'CI=1 npm test -- --bail'), 'verified'],
    [commands('less -N x.js', 'tree src', 'history 5', 'jobs -l'), 'verified'],
    ...['less -o copy x.js', 'less +!touch x.js', 'tree -o list', 'history -w list', 'jobs -x touch x.js'].map(
      (command): [Turn, string] => [commands(command), 'stale'],
    ),
    [commands('npm test -- one'), 'stale'],
    [commands('echo a > x.js'), 'stale'],
    [commands('echo "$(touch x.js)"'), 'stale'],
    [commands('echo `touch x.js`'), 'stale'],
    [commands('cat "a;rm" x.js'), 'stale'],
  ]
  for (const [turn, verdict] of turns) assert.equal(await verdictAfter(ledger, turn), verdict, JSON.stringify(turn))
})

testLedger('a turn leaves what its own key or recorder checked since it began', async (ledger) => {
  const { client } = ledger
  const ci = await keyOf(ledger, 'ci')
  const { run, lease } = await client.createRun({ leaseSeconds: 3600 })
  const { runId } = run
  const held = { runId, leaseToken: lease?.token ?? '' }
  const current = async () => (await client.listChecks({ runId, order: 'asc' })).checks.map(({ current }) => current)
  await client.appendTurn({ ...held, open: true, prompt: 'one' })
  await client.createCheck({ runId, name: 'tests', result: 'pass' })
  await client.createCheck({
    ...held,
    name: 'tests',
    recorder: 'exec',
    command: 'npm test',
    exitCode: 0,
    result: 'pass',
  })
  await ci.createCheck({ runId, name: 'tests', result: 'pass' })
  await client.appendTurn({ ...held, n: 1, prompt: 'one', files: [{ path: 'x.js' }] })
  assert.deepEqual(await current(), [true, true, false], 'an opened turn')
  await client.appendTurn({ ...held, n: 1, prompt: 'one', files: [{ path: 'x.js' }] })
  assert.deepEqual(await current(), [true, true, false], 'the same turn again')
  const startedAt = new Date().toISOString()
  await client.createCheck({ runId, name: 'tests', result: 'pass' })
  await client.appendTurn({ ...held, n: 2, startedAt, files: [{ path: 'x.js' }] })
  assert.deepEqual(await current(), [false, false, false, true], 'a turn with its beginning')
  const git = { commits: ['c'.repeat(40)] }
  await client.appendTurn({ ...held, n: 3, git })
  assert.deepEqual(await current(), [false, false, false, false], 'a turn that does not say when it began')
  await client.createCheck({ runId, name: 'tests', result: 'pass' })
  await client.appendTurn({ ...held, n: 4, git })
  assert.equal((await current()).at(-1), true, 'a commit of an earlier turn')
})

testLedger('a turn outdates the checks before its end, also if the clock of its recorder is behind', async (ledger) => {
  const { client, advance, store } = ledger
  const behind = () => new Date(Date.parse(store.now()) - 300_000).toISOString()
  const ci = await keyOf(ledger, 'ci')
  await client.createRun({ runId: 'R', required: ['tests'] })
  await ci.createCheck({ runId: 'R', name: 'tests', result: 'pass' })
  advance(60_000)
  const startedAt = behind()
  await client.appendTurn({ runId: 'R', n: 1, open: true, startedAt, prompt: 'Change it.' })
  advance(120_000)
  await ci.createCheck({ runId: 'R', name: 'lint', result: 'pass' })
  advance(60_000)
  const files = [{ path: 'a.ts', insertions: 1, deletions: 0 }]
  await client.appendTurn({ runId: 'R', n: 1, startedAt, endedAt: behind(), prompt: 'Change it.', files })
  assert.equal((await client.getRun({ runId: 'R' })).run.verdict, 'stale')
  const { checks } = await client.listChecks({ runId: 'R' })
  assert.deepEqual(
    checks.map(({ current }) => current),
    [false, false],
  )
})

testLedger('a check of the commit that a run named says nothing of one that a turn made since', async (ledger) => {
  const { client } = ledger
  const ci = await keyOf(ledger, 'ci')
  const [named, made] = ['a'.repeat(40), 'b'.repeat(40)]
  const turn = { git: { commits: [made] } }
  for (const isFirst of [true, false]) {
    const { runId } = (await client.createRun({ git: { branch: 'main', commit: named, dirty: false } })).run
    const check = { runId, name: 'tests', result: 'pass', commit: named, dirty: false } as const
    if (isFirst) await ci.createCheck(check)
    await client.appendTurn({ runId, ...turn })
    if (!isFirst) await ci.createCheck(check)
    const after = (await client.getRun({ runId })).run
    assert.deepEqual([after.verdict, after.git], ['stale', { branch: 'main', commits: [made] }])
    await client.appendTurn({ runId, git: { commit: made, commits: [made] } })
    await ci.createCheck({ ...check, commit: made })
    assert.equal((await client.getRun({ runId })).run.verdict, 'verified')
    await client.appendTurn({ runId, ...turn })
    assert.equal((await client.getRun({ runId })).run.git?.commit, made, 'a commit that is known already')
    await client.appendTurn({ runId, git: { commits: ['c'.repeat(40), made] } })
    assert.equal((await client.getRun({ runId })).run.git?.commit, made, 'a new commit, and then one that is known')
  }
})

testLedger('a recorder whose hooks see checks tells itself when files may have been written', async (ledger) => {
  const { client } = ledger
  const { run, lease } = await client.createRun({ leaseSeconds: 3600 })
  const held = { runId: run.runId, leaseToken: lease?.token ?? '' }
  await client.createCheck({ ...held, recorder: 'hook', command: 'npm test', exitCode: 0, result: 'pass' })
  await client.appendTurn({ ...held, ...commands('npm test -- one') })
  assert.equal((await client.getRun(held)).run.verdict, 'verified')
})

testLedger('a session by hooks over HTTP that writes outdates the checks of its run', async (ledger) => {
  const { client, fetch } = ledger
  const ci = await keyOf(ledger, 'ci')
  const hook = async (name: string, changes: object = {}) => {
    const body = JSON.stringify(documentOf('claude', name, { session_id: 's-1', ...changes }))
    await fetch('/v1/hooks/claude', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  }
  const tool = (id: string, tool_name: string, tool_input: object) =>
    hook('PostToolUse-Bash', { tool_name, tool_input, tool_use_id: id })
  const verdict = async () => (await client.getRun({ runId: 'RUN-001' })).run.verdict
  await hook('UserPromptSubmit', { prompt: 'one' })
  await tool('t1', 'Write', { file_path: '/shop/a.js', content: 'x' })
  await hook('Stop', { last_assistant_message: 'one' })
  await ci.createCheck({ runId: 'RUN-001', name: 'tests', result: 'pass' })
  await hook('UserPromptSubmit', { prompt: 'what did you do?' })
  await tool('t2', 'Bash', { command: 'git status' })
  await hook('Stop', { last_assistant_message: 'what' })
  assert.equal(await verdict(), 'verified', 'it only read')
  await hook('UserPromptSubmit', { prompt: 'two' })
  await tool('t3', 'Write', { file_path: '/shop/b.js', content: 'x' })
  await hook('Stop', { last_assistant_message: 'two' })
  assert.equal(await verdict(), 'stale')
})

testLedger(
  'a turn with changed lines alone has written, and one that arrives late says nothing of later checks',
  async ({ client, as }) => {
    const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
    const after = async (turn: Turn) => {
      const { runId } = (await client.createRun({ status: 'in_progress' })).run
      await ci.createCheck({ runId, name: 'tests', result: 'pass' })
      await client.appendTurn({ runId, ...turn })
      return (await client.getRun({ runId })).run.verdict
    }
    assert.equal(await after({ changes: { files: 2, insertions: 30, deletions: 4 } }), 'stale')
    assert.equal(await after({ startedAt: hoursAgo(2), endedAt: hoursAgo(1), files: [{ path: 'a.js' }] }), 'verified')
  },
)
