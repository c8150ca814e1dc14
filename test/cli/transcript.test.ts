import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { stateFile } from '../../src/capture/spool/state-file.ts'
import { budget, linesWith } from '../../src/recorder/agents/lines.ts'
import { readTranscript } from '../../src/recorder/agents/transcript.ts'
import { freshFolder } from './folder.ts'
import { conductHere } from './program.ts'
import { claudeIn, hook, onlyRun, secret, syncAll, turnsOf, workplace, writeTranscript } from './session.ts'
import { writeFiles } from './user.ts'

/** Creates at a path something that is not a transcript. */
const odd: Record<string, (path: string) => void> = {
  'a pipe': (path) => execFileSync('mkfifo', [path]),
  'an endless device': (path) => symlinkSync('/dev/zero', path),
  'a folder': (path) => mkdirSync(path),
  'an endless file': (path) => {
    writeFileSync(path, '{"usage":1}\n')
    truncateSync(path, 2 ** 40)
  },
  missing: () => {},
}

for (const agent of ['claude-code', 'codex', 'copilot', 'gemini', 'qwen', 'droid']) {
  for (const [name, make] of Object.entries(odd)) {
    test(`${agent}: a transcript that is ${name} fails quickly`, { timeout: 60_000 }, async (t) => {
      const path = join(freshFolder(t), 'transcript.jsonl')
      make(path)
      await assert.rejects(async () => readTranscript(agent, path), /not a regular file|too large|ENOENT/)
    })
  }
}

test('the path of a transcript is not read as a pattern', async (t) => {
  const folder = freshFolder(t)
  const path = writeTranscript(folder, 'claude')
  const { usage } = await readTranscript('claude-code', path)
  assert.equal(usage?.outputTokens, 66)
  mkdirSync(join(folder, 'other*'))
  writeFileSync(join(folder, 'other*.jsonl'), '')
  rmSync(path)
  assert.deepEqual(await readTranscript('claude-code', join(folder, 'other*.jsonl')), { tellsInterruptions: true })
})

test('lines are read across block borders, and a very long one is skipped', async (t) => {
  const path = join(freshFolder(t), 'lines.jsonl')
  const line = (n: number, length: number) => JSON.stringify({ word: n, filling: 'ü'.repeat(length) })
  writeFileSync(path, [line(1, 700_000), 'word', line(2, 9_000_000), line(3, 1_000_000), '', line(4, 10)].join('\n'))
  const found: unknown[] = []
  for await (const { word } of linesWith(path, '"word"')) found.push(word)
  assert.deepEqual(found, [1, 3, 4])
  await assert.rejects(async () => {
    for await (const _ of linesWith(path, '"word"', budget(1_000))) assert.fail()
  }, /too large/)
})

test('a file of one block is read however late it is, and a longer one only in time', async (t) => {
  const path = join(freshFolder(t), 'lines.jsonl')
  const late = () => budget(Number.POSITIVE_INFINITY, -1)
  writeFileSync(path, '{"word":1}\n')
  const found: unknown[] = []
  for await (const { word } of linesWith(path, '"word"', late())) found.push(word)
  assert.deepEqual(found, [1])
  writeFileSync(path, `{"word":1}\n{"filling":"${'x'.repeat(1_048_576)}"}\n{"word":2}\n`)
  await assert.rejects(async () => {
    for await (const _ of linesWith(path, '"word"', late()));
  }, /too large/)
})

test('a session with a bad transcript is recorded, and does not affect others', { timeout: 60_000 }, async (t) => {
  const user = workplace(t)
  const { env, cwd, folder } = user
  const good = writeTranscript(folder, 'claude')
  const fifo = join(dirname(good), 'fifo.jsonl')
  execFileSync('mkfifo', [fifo])
  const session = async (prompt: string, transcript_path: string) => {
    const session_id = basename(transcript_path, '.jsonl')
    for (const more of [
      { hook_event_name: 'UserPromptSubmit', prompt },
      { hook_event_name: 'Stop' },
      { hook_event_name: 'SessionEnd' },
    ]) {
      const document = { session_id, cwd, transcript_path, ...more }
      await conductHere(['hook', 'claude'], env, cwd, JSON.stringify(document))
    }
  }
  await session('bad', fifo)
  await session('good', good)
  await syncAll(env)
  const { runs } = await (await user.ledger()).listRuns()
  assert.deepEqual(runs.map(({ title, status, usage }) => [title, status, usage?.outputTokens]).sort(), [
    ['bad', 'completed', undefined],
    ['good', 'completed', 66],
  ])
})

test('the transcript gives the failure of a turn if no hook reports it', async (t) => {
  const user = workplace(t)
  const { env, cwd, folder } = user
  const home = join(folder, '.copilot')
  mkdirSync(join(home, 'session-state/x'), { recursive: true })
  const events = [
    { type: 'user.message', data: { content: 'Go' } },
    { type: 'session.error', data: { errorType: 'query', message: '400 Not valid', statusCode: 400 } },
  ]
  writeFileSync(join(home, 'session-state/x/events.jsonl'), events.map((one) => `${JSON.stringify(one)}\n`).join(''))
  const tell = (timestamp: number, more: object) =>
    hook('copilot', { sessionId: 'x', timestamp, cwd, ...more }, { ...env, COPILOT_CLI: '1', COPILOT_HOME: home })
  await tell(1, { prompt: 'Go' })
  await tell(2, { reason: 'error' })
  await syncAll(env)
  assert.deepEqual((await onlyRun(user)).failure, { code: 'QUERY', message: '400 Not valid' })
})

test('a rollout of Codex gives the results of commands and the failure of a turn', async (t) => {
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
  assert.deepEqual(run.turns.last?.tools, [{ name: 'Bash', count: 1, failed: 1 }])
})

test('the duration of a command is the time between its hooks, if the agent reports every prompt for approval', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "make test", "lint": "make lint" } }' })
  const transcript = join(env.HOME, 'rollout-2026-01-31T09-30-00-x.jsonl')
  const tell = (hook_event_name: string, more = {}) =>
    hook('codex', { session_id: 'x', turn_id: 't', transcript_path: transcript, cwd, hook_event_name, ...more }, env)
  const use = async (id: string, command: string, between: () => unknown) => {
    const tool = { tool_name: 'Bash', tool_input: { command }, tool_use_id: id }
    await tell('PreToolUse', tool)
    await between()
    // Lets three seconds pass.
    const db = new DatabaseSync(stateFile(env))
    db.exec('update acts set began = began - 3000 where ended is null')
    db.close()
    await tell('PostToolUse', { ...tool, tool_response: '' })
    return {
      type: 'item_completed',
      item: { type: 'CommandExecution', id, exit_code: 0, duration: { secs: 0, nanos: 9 } },
    }
  }
  await tell('UserPromptSubmit', { prompt: 'Go' })
  const items = [
    await use('exec-1', 'make test', () => {}),
    await use('exec-2', 'make lint', () => tell('PermissionRequest', { tool_name: 'Bash', tool_input: {} })),
  ]
  writeFileSync(transcript, items.map((payload) => `${JSON.stringify({ type: 'event_msg', payload })}\n`).join(''))
  await tell('Stop', { last_assistant_message: 'Done.' })
  await syncAll(env)
  const { runId, turns } = await onlyRun(user)
  const [alone, asked, ...others] = turns.last?.commands ?? []
  const { durationMs = 0 } = alone ?? {}
  assert.ok(durationMs >= 3_000 && durationMs < 60_000, `${durationMs}`)
  assert.deepEqual([asked?.exitCode, asked?.durationMs, others], [0, undefined, []])
  const { checks } = await (await user.ledger()).listChecks({ runId, order: 'asc' })
  assert.deepEqual(
    checks.map((check) => [check.name, check.durationMs]),
    [
      ['tests', durationMs],
      ['lint', null],
    ],
  )
})

test('the answer of Copilot is only in its events', async (t) => {
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

test('a transcript that is not a regular file delays nothing', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await conductHere(['status'], env)
  mkdirSync(dirname(claude.transcript), { recursive: true })
  symlinkSync('/dev/zero', claude.transcript)
  await claude.stop()
  await syncAll(env)
  assert.equal((await onlyRun(user)).turns.last?.answer, 'Done.')
})

test('a tool that Claude Code refuses is counted once, also if only the transcript says that it did', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('Plan')
  const uses = [
    ['toolu_1', 'Write', { file_path: `${cwd}/plan.txt` }, `Cannot write to ${cwd}/plan.txt while in plan mode.`],
    ['toolu_2', 'Bash', { command: 'rm -r src' }, 'Permission to use Bash has been denied.'],
  ] as const
  const timestamp = new Date().toISOString()
  const said = (id: string, content: unknown, stop_reason: string) => ({
    ...{ type: 'assistant', timestamp, message: { id, model: 'm', role: 'assistant', content, stop_reason } },
  })
  const lines: unknown[] = [{ type: 'user', timestamp, message: { role: 'user', content: 'Plan' } }]
  for (const [tool_use_id, tool_name, tool_input, tool_response] of uses) {
    await claude.tell('PreToolUse', { tool_name, tool_input, tool_use_id })
    await claude.tell('PostToolBatch', { tool_calls: [{ tool_name, tool_input, tool_use_id, tool_response }] })
    const content = [{ type: 'tool_result', tool_use_id, is_error: true, content: tool_response }]
    lines.push(
      said(tool_use_id, [{ type: 'tool_use', id: tool_use_id, name: tool_name, input: tool_input }], 'tool_use'),
      { type: 'user', timestamp, message: { role: 'user', content }, toolDenialKind: 'permission-rule' },
    )
  }
  claude.transcribe(...lines, said('m3', [{ type: 'text', text: 'Done.' }], 'end_turn'))
  await claude.stop()
  await syncAll(env)
  const [turn] = await turnsOf(user)
  const refused = (name: string) => ({ name, count: 1, refused: 1 })
  assert.deepEqual(
    [turn?.tools, turn?.commands, turn?.files],
    [[refused('Bash'), refused('Write')], undefined, undefined],
  )
})
