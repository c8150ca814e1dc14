import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { stateFile } from '../../src/cli/record/state.ts'
import { freshFolder } from './folder.ts'
import { conduct } from './program.ts'
import { claudeIn, hook, onlyRun, runsOf, secret, syncAll, turnsOf, workplace } from './session.ts'
import { gitIn, writeFiles } from './user.ts'

const message = (id: string, input: number, output: number) => ({
  type: 'assistant',
  message: {
    id,
    model: 'claude-sonnet-4-5',
    content: [{ type: 'text', text: 'Done.' }],
    usage: {
      input_tokens: input,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 10,
      output_tokens: output,
    },
  },
})

test('each prompt with its answer is a turn, with all that happened between', async (t) => {
  const user = workplace(t)
  const { env, cwd, git } = user
  const claude = claudeIn(cwd, env)
  const before = new Date().toISOString()
  await claude.prompt(`Fix the login\n\nThe key is ${secret}`)
  const plan = [
    { content: 'Read', status: 'completed' },
    { content: `Fix ${secret}`, status: 'in_progress' },
  ]
  await claude.use('TodoWrite', { todos: plan }, () => {})
  await claude.write('src/login.ts', 'answer(401)\nlog()\n')
  await claude.run('exit 3')
  await claude.run('true')
  await claude.tell('PostToolUse', {
    tool_name: 'Read',
    tool_input: { file_path: join(cwd, 'src/login.ts') },
    tool_response: {},
    tool_use_id: 'toolu_sub',
    agent_id: 'sub1',
    agent_type: 'Explore',
  })
  await claude.tell('SubagentStop', { agent_id: 'sub1', agent_type: 'Explore' })
  await claude.tell('PreCompact', { trigger: 'auto' })
  await claude.tell('PostToolBatch', {
    tool_calls: [
      {
        tool_name: 'Bash',
        tool_input: { command: 'rm -rf /' },
        tool_use_id: 'toolu_refused',
        tool_response: 'Permission to use Bash with command rm -rf / has been denied.',
      },
    ],
  })
  claude.transcribe(message('m1', 10, 20), message('m2', 30, 40))
  await claude.stop(`Done: the login answers 401. ${secret}`)
  await claude.prompt('Now the logout')
  claude.transcribe(message('m1', 10, 20), message('m2', 30, 40), message('m3', 50, 60))
  await claude.stop('That too.')
  await claude.end('prompt_input_exit')
  await syncAll(env)

  const run = await onlyRun(user)
  assert.deepEqual([run.status, run.author, run.title], ['completed', null, 'Fix the login'])
  assert.deepEqual(run.where?.session, claude.session)
  const [first, second, ...others] = await turnsOf(user)
  assert.ok(first && second && others.length === 0)
  assert.equal(first.prompt, 'Fix the login\n\nThe key is [masked]')
  assert.equal(first.answer, 'Done: the login answers 401. [masked]')
  assert.deepEqual(first.tools, [
    { name: 'TodoWrite', count: 1 },
    { name: 'Write', count: 1 },
    { name: 'Bash', count: 3, failed: 1, refused: 1 },
    { name: 'Read', count: 1 },
  ])
  assert.deepEqual(first.files, [{ path: 'src/login.ts', insertions: 2, deletions: 1 }])
  assert.deepEqual(
    first.commands?.map(({ command, exitCode, durationMs }) => [command, exitCode, durationMs]),
    [
      ['exit 3', 3, 5],
      ['true', 0, 5],
    ],
  )
  assert.deepEqual(first.plan, [
    { text: 'Read', status: 'completed' },
    { text: 'Fix [masked]', status: 'in_progress' },
  ])
  assert.deepEqual(first.agents, [{ name: 'Explore' }])
  assert.equal(first.compactions, 1)
  assert.equal(first.git?.commit, git('rev-parse', 'HEAD'))
  assert.equal(first.git?.dirty, true)
  assert.ok(first.git?.tree && first.git.tree === second.git?.tree)
  assert.deepEqual([first.n, second.n, second.prompt, second.answer], [1, 2, 'Now the logout', 'That too.'])
  // Both were settled at once, after the second: what was used counts for the first.
  const used = { inputTokens: 420, outputTokens: 120, cacheReadTokens: 300, cacheWriteTokens: 30 }
  const { costUsd, costSource, model, ...tokens } = first.usage ?? {}
  assert.deepEqual([tokens, model, costSource], [used, 'claude-sonnet-4-5', 'estimated'])
  assert.ok(costUsd && costUsd > 0)
  assert.equal(second.usage, undefined)
  assert.equal(run.usage?.inputTokens, 420)
  assert.deepEqual(run.changes, { files: 1, insertions: 2, deletions: 1 })
  const times = [before, first.startedAt, first.endedAt, second.startedAt, second.endedAt, run.endedAt]
  assert.deepEqual(times, [...times].sort(), 'in the order in which it happened')
  assert.equal(run.startedAt, first.startedAt)
  assert.ok(!JSON.stringify([run, first, second]).includes(secret))
})

test('what each turn used is what the transcript has grown by, and the last word on the cost is its own', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  claude.transcribe(message('m1', 10, 20))
  await claude.stop()
  await syncAll(env)
  await claude.prompt('Two')
  claude.transcribe(message('m1', 10, 20), message('m2', 30, 40))
  await claude.stop()
  await syncAll(env)
  const turns = await turnsOf(user)
  assert.deepEqual(
    turns.map(({ usage }) => [usage?.inputTokens, usage?.outputTokens]),
    [
      [120, 20],
      [140, 40],
    ],
  )
  const modelUsage = {
    m: { inputTokens: 50, outputTokens: 70, cacheReadInputTokens: 200, cacheCreationInputTokens: 20 },
  }
  claude.transcribe(message('m1', 10, 20), message('m2', 30, 40), {
    type: 'cost-state',
    modelUsage,
    totalCostUSD: 0.25,
  })
  await claude.end()
  await syncAll(env)
  const { usage } = await onlyRun(user)
  assert.deepEqual(
    [usage?.inputTokens, usage?.outputTokens, usage?.costUsd, usage?.costSource],
    [270, 70, 0.25, 'reported'],
  )
})

test('a turn without an end was interrupted: by the next prompt, or by the end of the session', async (t) => {
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

test('an end that overtakes the end of its last turn interrupts nothing', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const [one, two] = [claudeIn(cwd, env), claudeIn(cwd, env)]
  await one.prompt('One')
  await one.end()
  await one.stop('Done.')
  await two.prompt('Two')
  await two.end()
  const synced = syncAll(env)
  await two.stop('Done too.')
  await synced
  await syncAll(env)
  const told = (await runsOf(user)).map(({ title, status, turns }) => [title, status, turns.last?.answer, turns.count])
  assert.deepEqual(told.sort(), [
    ['One', 'completed', 'Done.', 1],
    ['Two', 'completed', 'Done too.', 1],
  ])
})

test('a failure that no hook told is read from the transcript', async (t) => {
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

test('a failed session that is taken up and goes well is completed', async (t) => {
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

test('sessions in one folder tell what each wrote itself', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const [one, two] = [claudeIn(cwd, env), claudeIn(cwd, env)]
  await one.prompt('One')
  await two.prompt('Two')
  await one.write('a.txt', 'a\n')
  await one.run('echo made > by-one.txt')
  await two.write('b.txt', 'b\n')
  await two.write('c.txt', 'c\n')
  // While a command of one runs, two writes a file, and its hook tells later.
  await one.use('Bash', { command: 'build' }, () => writeFiles(cwd, { 'built.txt': 'x\n', 'd.txt': 'd\n' }))
  await two.use('Write', { file_path: join(cwd, 'd.txt') }, () => {})
  await one.stop()
  await two.stop()
  await syncAll(env)
  const files = new Map((await runsOf(user)).map((run) => [run.title, run.turns.last?.files?.map(({ path }) => path)]))
  assert.deepEqual(files.get('One'), ['a.txt', 'by-one.txt', 'built.txt'])
  assert.deepEqual(files.get('Two'), ['b.txt', 'c.txt', 'd.txt'])
  assert.deepEqual(
    (await runsOf(user)).map(({ changes }) => changes?.files),
    [3, 3],
  )
})

test('where commands of two sessions run at once, nobody is told to have written what they changed', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const [one, two] = [claudeIn(cwd, env), claudeIn(cwd, env)]
  await one.prompt('One')
  await two.prompt('Two')
  await two.tell('PreToolUse', { tool_name: 'Bash', tool_input: { command: 'other' }, tool_use_id: 'other' })
  await one.run('echo x > whose.txt && git add -A && git commit -q -m whose')
  await one.stop()
  await syncAll(env)
  const [run] = await runsOf(user)
  assert.deepEqual([run?.turns.last?.files, run?.turns.last?.git?.commits], [undefined, undefined])
  await two.end()
  await syncAll(env)
  await one.prompt('Alone')
  await one.run('echo x > mine.txt')
  await one.stop()
  await syncAll(env)
  const { turns } = (await runsOf(user)).find(({ title }) => title === 'One') ?? {}
  assert.deepEqual(
    turns?.last?.files?.map(({ path }) => path),
    ['mine.txt'],
  )
})

test('a checkout is nobody’s work, and commits are those that the session made', async (t) => {
  const user = workplace(t)
  const { env, cwd, git } = user
  git('checkout', '-q', '-b', 'side')
  writeFiles(cwd, { 'of-side.txt': 'x\n' })
  git('add', '-A')
  git('commit', '-q', '-m', 'on the side')
  git('checkout', '-q', 'main')
  const base = git('rev-parse', 'HEAD')
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await claude.run('git checkout -q side && echo y > mine.txt')
  await claude.run('git add -A && git commit -q -m mine')
  await claude.run('sed -i s/500/401/ src/login.ts && git commit -q -a -m both')
  await claude.stop()
  await syncAll(env)
  const run = await onlyRun(user)
  const commits = [git('rev-parse', 'HEAD~1'), git('rev-parse', 'HEAD')]
  assert.deepEqual(run.turns.last?.files, [
    { path: 'mine.txt', insertions: 1, deletions: 0 },
    { path: 'src/login.ts', insertions: 1, deletions: 1 },
  ])
  const { branch, dirty, tree } = run.git ?? {}
  assert.deepEqual(run.git, { base, branch, dirty, tree, commit: commits[1], commits })
  assert.deepEqual([branch, dirty, tree], ['side', false, git('rev-parse', 'HEAD^{tree}')])
})

test('files are told from the top of the repository, and others as they are', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const outside = join(freshFolder(t), 'notes.txt')
  const claude = claudeIn(join(cwd, 'src'), env)
  await claude.prompt('Go')
  await claude.write('login.ts', 'x\n')
  await claude.write('../top.txt', 'x\n')
  await claude.use('Write', { file_path: outside }, () => writeFileSync(outside, 'x\n'))
  await claude.stop()
  await syncAll(env)
  const { turns } = await onlyRun(user)
  assert.deepEqual(turns.last?.files, [
    { path: 'src/login.ts', insertions: 1, deletions: 1 },
    { path: 'top.txt', insertions: 1, deletions: 0 },
    { path: outside },
  ])
})

test('outside of git a session is recorded too', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  rmSync(join(cwd, '.git'), { recursive: true })
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await claude.write('a.txt', 'x\n')
  await claude.run('echo y > b.txt')
  await claude.stop()
  await syncAll(env)
  const { turns, git } = await onlyRun(user)
  assert.deepEqual([turns.last?.files, git], [[{ path: 'a.txt' }], null])
})

test('the person is the one who commits', async (t) => {
  const user = workplace(t)
  const { env, cwd, git } = user
  git('config', 'user.name', 'Ada Example')
  git('config', 'user.email', 'ada@example.com')
  await claudeIn(cwd, env).prompt('Go')
  await syncAll(env)
  assert.equal((await onlyRun(user)).author, 'Ada Example <ada@example.com>')
})

test('conduct.json may keep answers and prompts out of the record', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "record": { "answers": false, "prompts": false } }' })
  const claude = claudeIn(cwd, env)
  await claude.prompt('Private words')
  await claude.run('true')
  await claude.stop('Private answer')
  await syncAll(env)
  const run = await onlyRun(user)
  assert.ok(!JSON.stringify(run).includes('Private'))
  assert.deepEqual([run.title, run.turns.last?.tools], ['A session of claude-code', [{ name: 'Bash', count: 1 }]])
})

test('a session that was killed is told by a later sync, as failed', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await claude.write('a.txt', 'x\n')
  await syncAll(env)
  assert.equal((await onlyRun(user)).turns.count, 0, 'it may go on')
  const db = new DatabaseSync(stateFile(env))
  db.exec('update recordings set last_heard = last_heard - 601000; update notes set at = at - 601000')
  db.close()
  await syncAll(env)
  const run = await onlyRun(user)
  assert.deepEqual([run.status, run.failure?.code], ['failed', 'LEASE_EXPIRED'])
  assert.deepEqual(
    run.turns.last?.files?.map(({ path }) => path),
    ['a.txt'],
  )
  // It was not killed after all.
  await claude.stop()
  await claude.end()
  await syncAll(env)
  assert.equal((await onlyRun(user)).status, 'completed')
})

test('Codex tells in its rollout how commands ended and that a turn failed', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const transcript = join(env.HOME, 'rollout-2026-01-31T09-30-00-x.jsonl')
  const tell = (hook_event_name: string, more = {}) =>
    hook(
      'codex',
      { session_id: 'x', turn_id: 't', transcript_path: transcript, cwd, hook_event_name, model: 'gpt-5.5', ...more },
      env,
    )
  await tell('UserPromptSubmit', { prompt: 'Go' })
  await tell('PostToolUse', {
    tool_name: 'Bash',
    tool_input: { command: 'exit 3' },
    tool_use_id: 'exec-1',
    tool_response: 'out',
  })
  const item = {
    type: 'CommandExecution',
    id: 'exec-1',
    exit_code: 3,
    status: 'failed',
    duration: { secs: 2, nanos: 0 },
  }
  const events = [
    { type: 'task_started' },
    { type: 'item_completed', item },
    { type: 'task_complete', error: { message: 'Too many requests', codex_error_info: 'usage_limit_exceeded' } },
  ]
  writeFileSync(transcript, events.map((payload) => `${JSON.stringify({ type: 'event_msg', payload })}\n`).join(''))
  await tell('SessionEnd', { reason: 'other' })
  await syncAll(env)
  const run = await onlyRun(user)
  assert.deepEqual(run.failure, { code: 'USAGE_LIMIT_EXCEEDED', message: 'Too many requests' })
  const [ran] = run.turns.last?.commands ?? []
  assert.deepEqual([run.status, ran?.exitCode, ran?.durationMs], ['failed', 3, 2000])
})

test('Copilot tells its answer in its events alone', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const transcriptPath = join(env.HOME, 'events.jsonl')
  const events = [
    { type: 'user.message', data: { content: 'Go' } },
    { type: 'assistant.message', data: { content: `Done, with ${secret}.` } },
  ]
  writeFileSync(transcriptPath, events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  const tell = (timestamp: number, more: object) => hook('copilot', { sessionId: 'x', timestamp, cwd, ...more }, env)
  await tell(1, { prompt: 'Go' })
  await tell(2, { transcriptPath, stopReason: 'end_turn' })
  await tell(3, { reason: 'complete' })
  await syncAll(env)
  const run = await onlyRun(user)
  assert.deepEqual([run.agent, run.status, run.turns.last?.answer], ['copilot', 'completed', 'Done, with [masked].'])
})

test('a transcript that is no regular file holds nobody up', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await conduct(['status'], env)
  await claude.tell('Stop', { last_assistant_message: 'Done.', transcript_path: '/dev/zero' })
  await syncAll(env)
  assert.equal((await onlyRun(user)).turns.last?.answer, 'Done.')
})

test('a linked working tree is a place of its own', async (t) => {
  const user = workplace(t)
  const { env, cwd, git } = user
  const linked = join(env.HOME, 'linked')
  git('worktree', 'add', '-q', '-b', 'side', linked)
  const [main, side] = [claudeIn(cwd, env), claudeIn(linked, env)]
  await main.prompt('Main')
  await side.prompt('Side')
  await main.run('echo x > a.txt')
  await side.run('echo x > b.txt && git add -A && git commit -q -m b')
  await main.stop()
  await side.stop()
  await syncAll(env)
  const told = (await runsOf(user)).map(({ git, turns, project }) => {
    return [project, git?.branch, git?.commits, turns.last?.files?.map(({ path }) => path)]
  })
  assert.deepEqual(told.sort(), [
    ['shop', 'main', undefined, ['a.txt']],
    ['shop', 'side', [gitIn(linked)('rev-parse', 'HEAD')], ['b.txt']],
  ])
})
