import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { settleNotes } from '../../src/capture/hook/session.ts'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import { documentOf, transcriptOf } from '../agents/documents.ts'
import { claudeIn, type Document, hook, onlyRun, syncAll, turnsOf, workplace } from './session.ts'
import { writeFiles } from './user.ts'

// How turns ended whose hooks do not say it, by the transcripts that agents wrote.

/** The lines of a transcript as an agent wrote it, as if it wrote them now. */
function linesOf(agent: string): Document[] {
  const timestamp = new Date().toISOString()
  const lines = readFileSync(transcriptOf(agent), 'utf8').trim().split('\n')
  return lines.map((line) => ({ ...(JSON.parse(line) as Document), timestamp }))
}

const written = (lines: Document[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

test('a turn of Codex that an error of the API ended has failed, although the next prompt comes at once', async (t) => {
  const user = workplace(t)
  const { env, cwd, folder } = user
  const name = 'rollout-s-1.jsonl'
  const tell = (hook_event_name: string, more: Document) =>
    hook('codex', { session_id: 's-1', cwd, transcript_path: join(folder, name), hook_event_name, ...more }, env)
  const ids = linesOf('codex-error-resume').map(({ payload }) => payload as Document)
  const [first, second] = ids.filter(({ type }) => type === 'task_started')
  // Codex begins the next turn before its hook for the prompt runs.
  const next = ids.indexOf(second as Document) + 1
  await tell('UserPromptSubmit', { prompt: 'Write a.', turn_id: first?.turn_id })
  const before = linesOf('codex-error-resume').slice(0, next)
  writeFiles(folder, { [name]: written(before) })
  await tell('SessionEnd', {})
  await tell('UserPromptSubmit', { prompt: 'Go on.', turn_id: second?.turn_id })
  await syncAll(env)
  writeFiles(folder, { [name]: written([...before, ...linesOf('codex-error-resume').slice(next)]) })
  await tell('Stop', { last_assistant_message: 'B.', turn_id: second?.turn_id })
  await tell('SessionEnd', {})
  await syncAll(env)
  const run = await onlyRun(user)
  assert.deepEqual([run.status, run.usage?.inputTokens], ['completed', 351])
  assert.deepEqual(
    (await turnsOf(user)).map(({ prompt, answer, failure, interrupted }) => [
      prompt,
      answer,
      failure?.code,
      interrupted,
    ]),
    [
      ['Write a.', undefined, 'RESPONSE_TOO_MANY_FAILED_ATTEMPTS', undefined],
      ['Go on.', 'B.', undefined, undefined],
    ],
  )
})

for (const isSent of [false, true]) {
  test(`the answer to a prompt is not that to a message that waited meanwhile${isSent ? ', also if that was sent at once' : ''}`, async (t) => {
    const user = workplace(t)
    const { env, cwd } = user
    const claude = claudeIn(cwd, env)
    const asked = (promptId: string, content: string) => ({
      type: 'user',
      promptId,
      message: { role: 'user', content },
    })
    const answered = (text: string) => ({
      type: 'assistant',
      message: { id: text, model: 'm', stop_reason: 'end_turn', content: [{ type: 'text', text }] },
    })
    const now = (line: object) => ({ ...line, timestamp: new Date().toISOString() })
    await claude.tell('UserPromptSubmit', { prompt: 'One', prompt_id: 'p' })
    const lines = [now(asked('p', 'One'))]
    // Claude Code gives a message that waits the id of the turn on which it works.
    claude.transcribe(...lines)
    if (isSent) await syncAll(env)
    await claude.tell('UserPromptSubmit', { prompt: 'Two', prompt_id: 'p' })
    if (isSent) await syncAll(env)
    lines.push(now({ type: 'queue-operation', operation: 'enqueue', content: 'Two' }), now(answered('First answer.')))
    claude.transcribe(...lines)
    await claude.tell('Stop', { prompt_id: 'p', last_assistant_message: 'First answer.' })
    await syncAll(env)
    claude.transcribe(...lines, now(asked('q', 'Two')), now(answered('Second answer.')))
    await claude.tell('Stop', { prompt_id: 'q', last_assistant_message: 'Second answer.' })
    await claude.end()
    await syncAll(env)
    assert.deepEqual(
      (await turnsOf(user)).map(({ prompt, answer, interrupted }) => [prompt, answer, interrupted]),
      [
        ['One', 'First answer.', undefined],
        ['Two', 'Second answer.', undefined],
      ],
    )
  })
}

test('a command of the user heads the turn that it begins', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  const said = (text: string) => ({
    type: 'assistant',
    message: { id: text, model: 'm', stop_reason: 'end_turn', content: [{ type: 'text', text }] },
  })
  const asked = (promptId: string, content: string) => ({ type: 'user', promptId, message: { role: 'user', content } })
  const now = (line: object) => ({ ...line, timestamp: new Date().toISOString() })
  await claude.tell('UserPromptSubmit', { prompt: 'One', prompt_id: 'p' })
  const lines = [now(asked('p', 'One')), now(said('First.'))]
  claude.transcribe(...lines)
  await claude.tell('Stop', { prompt_id: 'p', last_assistant_message: 'First.' })
  await syncAll(env)
  claude.transcribe(...lines, now(asked('q', '<bash-input>npm test</bash-input>')), now(said('It passes.')))
  await claude.tell('Stop', { prompt_id: 'q', last_assistant_message: 'It passes.' })
  await claude.end()
  await syncAll(env)
  assert.deepEqual(
    (await turnsOf(user)).map(({ prompt, answer }) => [prompt, answer]),
    [
      ['One', 'First.'],
      ['!npm test', 'It passes.'],
    ],
  )
})

test('a command of the user begins its turn, and the turn has what it used, also if the transcript is written late', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  const at = (line: object, ms = Date.now()) => ({ ...line, timestamp: new Date(ms).toISOString() })
  const asked = (promptId: string, content: string) => ({ type: 'user', promptId, message: { role: 'user', content } })
  const said = (text: string, tokens: number) => ({
    type: 'assistant',
    message: {
      ...{ id: text, model: 'm', stop_reason: 'end_turn', content: [{ type: 'text', text }] },
      usage: { input_tokens: tokens, output_tokens: 1 },
    },
  })
  await claude.tell('UserPromptSubmit', { prompt: 'One', prompt_id: 'p' })
  const lines = [at(asked('p', 'One')), at(said('First.', 10))]
  claude.transcribe(...lines)
  await claude.tell('Stop', { prompt_id: 'p', last_assistant_message: 'First.' })
  await syncAll(env)
  const typedAt = Date.now()
  await sleep(50)
  const answered = at(said('It passes.', 20))
  // The lines come in time, however long they take.
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  await claude.tell('Stop', { prompt_id: 'q', last_assistant_message: 'It passes.' })
  using state = stateOf(env)
  const settled = settleNotes(state, env, assert.fail)
  await sleep(500)
  lines.push(at(asked('q', '<bash-input>npm test</bash-input>'), typedAt), answered)
  claude.transcribe(...lines)
  await settled
  t.mock.timers.reset()
  await syncAll(env)
  await claude.tell('UserPromptSubmit', { prompt: 'Three', prompt_id: 'r' })
  claude.transcribe(...lines, at(asked('r', 'Three')), at(said('Third.', 30)))
  await claude.tell('Stop', { prompt_id: 'r', last_assistant_message: 'Third.' })
  await claude.end()
  await syncAll(env)
  const turns = await turnsOf(user)
  assert.deepEqual(
    turns.map(({ prompt, answer, usage }) => [prompt, answer, usage?.inputTokens]),
    [
      ['One', 'First.', 10],
      ['!npm test', 'It passes.', 20],
      ['Three', 'Third.', 30],
    ],
  )
  assert.equal(turns[1]?.startedAt, new Date(typedAt).toISOString())
})

test('a session with a model without a price has no cost, although its last model has one', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  const said = (id: string, model: string) => ({
    type: 'assistant',
    timestamp: new Date().toISOString(),
    message: {
      ...{ id, model, stop_reason: 'end_turn', content: [{ type: 'text', text: 'Done.' }] },
      usage: { input_tokens: 1_000, output_tokens: 100 },
    },
  })
  await claude.prompt('One')
  const first = said('m1', 'a-model-of-mine')
  claude.transcribe(first)
  await claude.stop()
  await claude.prompt('Two')
  claude.transcribe(first, said('m2', 'claude-sonnet-4-5'))
  await claude.stop()
  await claude.end()
  await syncAll(env)
  const { usage } = await onlyRun(user)
  assert.deepEqual([usage?.inputTokens, usage?.outputTokens, usage?.costUsd], [2_000, 200, undefined])
})

/** A session of Droid by its hooks, with that transcript. */
async function droidSession(user: ReturnType<typeof workplace>, transcript: string, events: string[]) {
  const { env, cwd, folder } = user
  const path = join(folder, '.factory/sessions/s-1.jsonl')
  const settings = readFileSync(transcriptOf(transcript).replace('.jsonl', '.settings.json'), 'utf8')
  for (const event of events) {
    if (event !== 'SessionStart')
      writeFiles(folder, {
        '.factory/sessions/s-1.jsonl': written(linesOf(transcript)),
        '.factory/sessions/s-1.settings.json': settings,
      })
    await hook('droid', documentOf('droid', event, { session_id: 's-1', cwd, transcript_path: path }), env)
  }
  await syncAll(env)
  return { run: await onlyRun(user), turns: await turnsOf(user) }
}

const used = ['SessionStart', 'PreToolUse-Create', 'PostToolUse-Create']

test('a session of Droid has its prompt, its answer, its tokens and the commands that failed', async (t) => {
  const events = [...used, 'PreToolUse-Execute', 'PostToolUse-Execute', 'Stop', 'SessionEnd']
  const { run, turns } = await droidSession(workplace(t), 'droid', events)
  assert.deepEqual([run.title, run.status, run.agent], ['Write a file.', 'completed', 'droid'])
  assert.deepEqual([run.usage?.inputTokens, run.usage?.outputTokens, run.usage?.model], [466, 24, 'custom:scripted-0'])
  const [turn, ...others] = turns
  assert.deepEqual([turn?.prompt, turn?.answer, others], ['Write a file.\nThen run.', 'It is done.', []])
  assert.deepEqual(turn?.tools?.map(({ name, count, failed }) => [name, count, failed]).sort(), [
    ['Create', 1, undefined],
    ['Execute', 2, 1],
  ])
  assert.deepEqual(turn?.commands?.map(({ command, exitCode }) => [command, exitCode]).sort(), [
    ['echo out; exit 3', 3],
    ['npm test', 0],
  ])
})

test('a session of Droid fails with the error of the API, although its hook says only that the turn ended', async (t) => {
  const { run, turns } = await droidSession(workplace(t), 'droid-error', [...used, 'Stop', 'SessionEnd'])
  assert.deepEqual([run.status, run.failure?.code, turns.length], ['failed', 'MODEL_REQUEST_REJECTED', 1])
  assert.equal(run.usage?.inputTokens, 115)
})

test('a session of Droid that its user interrupts has failed', async (t) => {
  const { run, turns } = await droidSession(workplace(t), 'droid-interrupt', [...used, 'SessionEnd'])
  assert.deepEqual([run.status, run.failure?.code], ['failed', 'INTERRUPTED'])
  assert.deepEqual([turns[0]?.prompt, turns[0]?.interrupted], ['Write, then be interrupted.', true])
})

test('what a user says to Copilot while it works belongs to the prompt of the turn', async (t) => {
  const user = workplace(t)
  const { env, cwd, folder } = user
  const tell = (event: string, more: Document = {}) =>
    hook('copilot', documentOf('copilot', event, { cwd, ...more }), env)
  const asked = (content: string, delivery: string) => ({ type: 'user.message', data: { content, delivery } })
  const used = { type: 'session.usage_record', data: { usage: { model: 'gpt-4.1', inputTokens: 10, outputTokens: 1 } } }
  const said = (content: string) => ({ type: 'assistant.message', data: { content } })
  await tell('userPromptSubmitted', { prompt: 'Add one.' })
  const lines = [
    ...[asked('Add one.', 'idle'), used, said('I begin.')],
    ...[asked('Rather two.', 'steering'), asked('And three.', 'steering'), used, said('Both are there.')],
  ]
  const timestamp = new Date().toISOString()
  writeFiles(folder, { 'events.jsonl': written(lines.map((line) => ({ ...line, timestamp }))) })
  await tell('agentStop', { transcriptPath: join(folder, 'events.jsonl') })
  await tell('userPromptSubmitted', { prompt: 'Good.' })
  await tell('sessionEnd-complete')
  await syncAll(env)
  const turns = (await turnsOf(user)).map(({ prompt, answer, usage }) => [prompt, answer, usage?.inputTokens])
  assert.deepEqual(turns[0], ['Add one.\n\nRather two.\n\nAnd three.', 'Both are there.', 20])
  assert.deepEqual((await onlyRun(user)).title, 'Add one.')
})
