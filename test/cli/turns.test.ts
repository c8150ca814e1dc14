import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { stateFile } from '../../src/capture/spool/state-file.ts'
import { claudeIn, onlyRun, secret, syncAll, turnsOf, workplace } from './session.ts'
import { writeFiles } from './user.ts'

const message = (id: string, input: number, output: number) => ({
  type: 'assistant',
  timestamp: new Date().toISOString(),
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

test('each prompt with its answer is a turn, with everything that happened in between', async (t) => {
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
  const messages = [message('m1', 10, 20), message('m2', 30, 40)]
  await claude.stop(`Done: the login answers 401. ${secret}`)
  await claude.prompt('Now the logout')
  claude.transcribe(...messages, message('m3', 50, 60))
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
  const used = { inputTokens: 260, outputTokens: 60, cacheReadTokens: 200, cacheWriteTokens: 20 }
  const { costUsd, costSource, model, ...tokens } = first.usage ?? {}
  assert.deepEqual([tokens, model, costSource], [used, 'claude-sonnet-4-5', 'estimated'])
  assert.ok(costUsd && costUsd > 0)
  assert.deepEqual([second.usage?.inputTokens, second.usage?.outputTokens], [160, 60])
  assert.equal(run.usage?.inputTokens, 420)
  assert.deepEqual(run.changes, { files: 1, insertions: 2, deletions: 1 })
  const times = [before, first.startedAt, first.endedAt, second.startedAt, second.endedAt, run.endedAt]
  assert.deepEqual(times, [...times].sort(), 'in the order in which it happened')
  assert.equal(run.startedAt, first.startedAt)
  assert.ok(!JSON.stringify([run, first, second]).includes(secret))
})

test('a message that is only an image begins a run and a turn', async (t) => {
  const user = workplace(t)
  const { env, cwd, git } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('')
  await claude.stop('A login form.')
  await claude.end()
  await syncAll(env)
  const [turn, ...others] = await turnsOf(user)
  assert.deepEqual([turn?.prompt, turn?.answer, others], [undefined, 'A login form.', []])
  const { title, status, git: told } = await onlyRun(user)
  assert.deepEqual([title, status, told?.base], ['A session of claude-code', 'completed', git('rev-parse', 'HEAD')])
})

test('a compaction between two turns counts for the next turn', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  await claude.stop()
  await claude.tell('PreCompact', { trigger: 'manual' })
  await claude.end()
  await syncAll(env)
  await claude.prompt('Two')
  await claude.stop()
  await syncAll(env)
  assert.deepEqual(
    (await turnsOf(user)).map(({ prompt, compactions }) => [prompt, compactions]),
    [
      ['One', undefined],
      ['Two', 1],
    ],
  )
})

test('the usage of a turn is the growth of the transcript, and its final cost replaces the estimate', async (t) => {
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

test('the author is the git user', async (t) => {
  const user = workplace(t)
  const { env, cwd, git } = user
  git('config', 'user.name', 'Ada Example')
  git('config', 'user.email', 'ada@example.com')
  await claudeIn(cwd, env).prompt('Go')
  await syncAll(env)
  assert.equal((await onlyRun(user)).author, 'Ada Example <ada@example.com>')
})

test('conduct.json can exclude answers and prompts from recording', async (t) => {
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

test('texts stay excluded if conduct.json no longer says so, or is gone, when the turn is sent', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const rules = { 'conduct.json': '{ "project": "shop", "record": { "answers": false, "prompts": false } }' }
  const claude = claudeIn(cwd, env)
  writeFiles(cwd, rules)
  await claude.prompt('Private one')
  rmSync(join(cwd, 'conduct.json'))
  await claude.stop('Private answer')
  await syncAll(env)
  writeFiles(cwd, rules)
  await claude.prompt('Private two')
  await syncAll(env)
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop" }' })
  await claude.stop('Private answer')
  await claude.prompt('Three')
  await claude.stop('Private answer')
  await claude.prompt('Four')
  await claude.stop('Private answer')
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "record": { "answers": false } }' })
  await claude.end()
  await syncAll(env)
  const run = await onlyRun(user)
  assert.equal(run.title, 'A session of claude-code')
  assert.ok(!JSON.stringify(run).includes('Private'))
  assert.deepEqual(
    (await turnsOf(user)).map(({ prompt, answer }) => [prompt, answer]),
    [
      [undefined, undefined],
      [undefined, undefined],
      ['Three', undefined],
      ['Four', undefined],
    ],
  )
})

test('a session that is resumed on a machine that forgot it continues its run', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  for (const prompt of ['One', 'Two']) {
    await claude.prompt(prompt)
    await claude.stop()
    await claude.end()
    await syncAll(env)
    rmSync(dirname(stateFile(env)), { recursive: true })
  }
  assert.deepEqual(
    (await turnsOf(user)).map(({ prompt }) => prompt),
    ['One', 'Two'],
  )
})
