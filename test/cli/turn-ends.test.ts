import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { settleNotes } from '../../src/capture/hook/session.ts'
import { thisProcess } from '../../src/capture/spool/process.ts'
import { stateFile, stateOf } from '../../src/capture/spool/state-file.ts'
import { claudeIn, hook, onlyRun, runsOf, secret, syncAll, turnsOf, workplace } from './session.ts'
import { writeFiles } from './user.ts'

test('a turn without an end is interrupted, by the next prompt or by the end of the session', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  await claude.prompt('Two')
  await claude.run('true')
  await claude.end()
  await syncAll(env)
  const run = await onlyRun(user)
  assert.deepEqual([run.status, run.failure?.code], ['failed', 'INTERRUPTED'])
  assert.deepEqual(
    (await turnsOf(user)).map(({ prompt, interrupted }) => [prompt, interrupted]),
    [
      ['One', true],
      ['Two', true],
    ],
  )
})

test('what its user does after the end of a session is not work of the turn that was open', async (t) => {
  const user = workplace(t)
  const { env, cwd, ledger } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  await claude.write('a.txt', 'a\n')
  await claude.end()
  writeFiles(cwd, { 'a.txt': 'a\nmine\n', 'mine.txt': 'mine\n' })
  await syncAll(env)
  const { runId, changes, git } = await onlyRun(user)
  assert.deepEqual([changes, git?.uncommitted?.paths], [{ files: 1, insertions: 1, deletions: 0 }, ['a.txt']])
  const { files } = await (await ledger()).getDiff({ runId })
  assert.deepEqual(
    files.map(({ path, patch }) => [path, patch]),
    [['a.txt', '@@ -0,0 +1 @@\n+a\n']],
  )
})

test('what its user adds to a file of a session is not work of a later turn that writes nothing', async (t) => {
  const user = workplace(t)
  const { env, cwd, ledger } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  await claude.write('a.txt', 'a\n')
  await claude.stop()
  await syncAll(env)
  writeFiles(cwd, { 'a.txt': 'a\nmine\n' })
  await claude.prompt('Two')
  await claude.run('true')
  await claude.stop()
  await syncAll(env)
  const { runId, changes } = await onlyRun(user)
  const { files } = await (await ledger()).getDiff({ runId })
  assert.deepEqual(
    [changes, files.map(({ path, turn, patch }) => [path, turn, patch])],
    [{ files: 1, insertions: 1, deletions: 0 }, [['a.txt', 1, '@@ -0,0 +1 @@\n+a\n']]],
  )
})

test('a session that is resumed at once has the work of each turn in that turn', async (t) => {
  const user = workplace(t)
  const { env, cwd, ledger } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  await claude.write('a.txt', 'a\n')
  await claude.end()
  await claude.prompt('Two')
  await claude.write('a.txt', 'a\nb\n')
  await claude.write('b.txt', 'b\n')
  await claude.stop()
  await syncAll(env)
  assert.deepEqual(
    (await turnsOf(user)).map(({ files, git }) => [files, git?.uncommitted?.paths]),
    [
      [[{ path: 'a.txt', insertions: 1, deletions: 0 }], ['a.txt']],
      [
        [
          { path: 'a.txt', insertions: 2, deletions: 0 },
          { path: 'b.txt', insertions: 1, deletions: 0 },
        ],
        ['a.txt', 'b.txt'],
      ],
    ],
  )
  const { runId } = await onlyRun(user)
  const diffs = async (turn: number) =>
    (await (await ledger()).getDiff({ runId, turn })).files.map(({ path, insertions }) => [path, insertions])
  assert.deepEqual(
    [await diffs(1), await diffs(2)],
    [
      [['a.txt', 1]],
      [
        ['a.txt', 1],
        ['b.txt', 1],
      ],
    ],
  )
})

for (const [what, lines, code, interrupted] of [
  ['tells no interruption was not interrupted', [], 'AGENT_GONE', undefined],
  ['tells an interruption was interrupted', ['[Request interrupted by user]'], 'INTERRUPTED', true],
] as const) {
  test(`a turn that its session ended, and of which the transcript ${what}`, async (t) => {
    const user = workplace(t)
    const claude = claudeIn(user.cwd, user.env)
    const said = (content: string) => ({
      ...{ type: 'user', timestamp: new Date().toISOString(), message: { role: 'user', content } },
    })
    await claude.prompt('One')
    await claude.run('true')
    claude.transcribe(said('One'), ...lines.map(said))
    await claude.end()
    await syncAll(user.env)
    const run = await onlyRun(user)
    const turns = await turnsOf(user)
    assert.deepEqual([run.status, run.failure?.code, turns[0]?.interrupted], ['failed', code, interrupted])
  })
}

test('a message that is sent while the agent works ends the turn before it without interrupting it', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  // Claude Code gives a queued message the id of the prompt on which it works.
  await claude.tell('UserPromptSubmit', { prompt: 'One', prompt_id: 'p' })
  await claude.tell('UserPromptSubmit', { prompt: 'Two', prompt_id: 'p' })
  await claude.stop()
  await claude.tell('UserPromptSubmit', { prompt: 'Three', prompt_id: 'q' })
  await claude.tell('UserPromptSubmit', { prompt: 'Four', prompt_id: 'r' })
  await claude.end()
  const tell = (event: string, id: string, more = {}) =>
    hook('opencode', { agent: 'opencode', event, session: 'ses', cwd, id, ...more }, env)
  await tell('prompt', 'm1', { text: 'Five' })
  await tell('prompt', 'm2', { text: 'Six' })
  await tell('turn', 'm2', { error: { name: 'MessageAbortedError' } })
  await syncAll(env)
  const client = await user.ledger()
  const turns = await Promise.all((await runsOf(user)).map(({ runId }) => client.listTurns({ runId })))
  assert.deepEqual(turns.flatMap(({ turns }) => turns.map(({ prompt, interrupted }) => [prompt, interrupted])).sort(), [
    ['Five', undefined],
    ['Four', true],
    ['One', undefined],
    ['Six', true],
    ['Three', true],
    ['Two', undefined],
  ])
})

test('an end of the session that arrives before the end of its last turn interrupts nothing', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const [one, two] = [claudeIn(cwd, env), claudeIn(cwd, env)]
  await one.prompt('One')
  await one.end()
  await one.stop('Done.')
  await syncAll(env)
  await two.prompt('Two')
  // The hook comes in time, however long it takes.
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  await two.end()
  using state = stateOf(env)
  const settled = settleNotes(state, env, assert.fail)
  await two.stop('Done too.')
  await settled
  t.mock.timers.reset()
  await syncAll(env)
  const told = (await runsOf(user)).map(({ title, status, turns }) => [title, status, turns.last?.answer, turns.count])
  assert.deepEqual(told.sort(), [
    ['One', 'completed', 'Done.', 1],
    ['Two', 'completed', 'Done too.', 1],
  ])
})

test('a turn whose end comes long after that of the session does not begin the session again', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  await claude.end()
  await syncAll(env)
  assert.equal((await onlyRun(user)).status, 'failed')
  await claude.stop('Done.')
  await syncAll(env)
  const { status, activity, turns } = await onlyRun(user)
  assert.deepEqual([status, activity, turns.last?.answer], ['completed', null, 'Done.'])
})

test('the transcript gives a failure that no hook reported', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  const failed = { content: [{ type: 'text', text: `API Error: 429 ${secret}` }], model: '<synthetic>' }
  claude.transcribe({ type: 'assistant', isApiErrorMessage: true, error: 'rate_limit', message: failed })
  await claude.end()
  await syncAll(env)
  const run = await onlyRun(user)
  assert.deepEqual([run.status, run.failure], ['failed', { code: 'RATE_LIMIT', message: 'API Error: 429 [masked]' }])
  assert.deepEqual(run.turns.last?.failure, run.failure)
})

test('a session whose first prompt no hook saw has the required checks of its project', async (t) => {
  const user = workplace(t)
  writeFiles(user.cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "npm test" } }' })
  const claude = claudeIn(user.cwd, user.env)
  await claude.run('true')
  await claude.stop()
  await claude.end()
  await syncAll(user.env)
  assert.deepEqual((await onlyRun(user)).required, ['tests'])
})

test('a failed session that is resumed and succeeds is completed', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  await claude.tell('StopFailure', { error: 'server_error', last_assistant_message: 'API Error: 500' })
  await claude.end()
  await syncAll(env)
  assert.deepEqual((await onlyRun(user)).failure, { code: 'SERVER_ERROR', message: 'API Error: 500' })
  await claude.prompt('Again')
  await claude.stop()
  await claude.end()
  await syncAll(env)
  const run = await onlyRun(user)
  assert.deepEqual([run.status, run.failure, run.turns.count], ['completed', null, 2])
})

/** A session that has written a file and whose turn goes on. */
async function underWay(t: TestContext) {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await claude.write('a.txt', 'x\n')
  await syncAll(env)
  return { user, env, claude }
}

test('a later sync ends a session that was killed, as failed', async (t) => {
  const { user, env, claude } = await underWay(t)
  assert.equal((await onlyRun(user)).turns.count, 0, 'it may go on')
  const db = new DatabaseSync(stateFile(env))
  db.exec('update recordings set last_heard = last_heard - 601000, agent_proven = 0; update notes set at = at - 601000')
  db.close()
  await syncAll(env)
  const run = await onlyRun(user)
  assert.deepEqual([run.status, run.failure?.code], ['failed', 'LEASE_EXPIRED'])
  assert.deepEqual(
    run.turns.last?.files?.map(({ path }) => path),
    ['a.txt'],
  )
  // The session continues, so it was not killed.
  await claude.stop()
  await claude.end()
  await syncAll(env)
  assert.equal((await onlyRun(user)).status, 'completed')
})

test('a later sync ends a session whose transcript has its answer, as completed', async (t) => {
  const { user, env, claude } = await underWay(t)
  const timestamp = new Date().toISOString()
  const content = [{ type: 'text', text: 'Done.' }]
  claude.transcribe(
    { type: 'user', timestamp, message: { content: 'Go' } },
    { type: 'assistant', timestamp, message: { id: 'm1', content, stop_reason: 'end_turn' } },
  )
  const db = new DatabaseSync(stateFile(env))
  db.exec('update recordings set last_heard = last_heard - 601000, agent_proven = 0; update notes set at = at - 601000')
  db.close()
  await syncAll(env)
  const { status, failure, turns } = await onlyRun(user)
  assert.deepEqual([status, failure, turns.last?.answer, turns.last?.failure], ['completed', null, 'Done.', undefined])
})

test('a session whose agent lives does not end while the machine sleeps', async (t) => {
  const { user, env, claude } = await underWay(t)
  const db = new DatabaseSync(stateFile(env))
  t.after(() => db.close())
  const sleep = (agent: object) => {
    db.exec('update notes set at = at - 601000')
    const text = 'update recordings set last_heard = last_heard - 601000, agent_process = ?, agent_proven = 1'
    db.prepare(text).run(JSON.stringify(agent))
  }
  sleep(thisProcess())
  await syncAll(env)
  await claude.stop()
  await syncAll(env)
  const run = await onlyRun(user)
  assert.deepEqual([run.turns.count, run.turns.last?.answer, run.turns.last?.failure], [1, 'Done.', undefined])
  // A process of another machine cannot be checked.
  await claude.prompt('Again')
  await claude.write('a.txt', 'y\n')
  await syncAll(env)
  sleep({ ...thisProcess(), machine: 'other' })
  await syncAll(env)
  assert.equal((await onlyRun(user)).failure?.code, 'LEASE_EXPIRED')
})
