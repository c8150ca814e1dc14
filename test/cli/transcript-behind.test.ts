import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { settleNotes } from '../../src/capture/hook/session.ts'
import { stateFile, stateOf } from '../../src/capture/spool/state-file.ts'
import type { ProgramEnv } from './program.ts'
import { claudeIn, hook, onlyRun, syncAll, turnsOf, workplace } from './session.ts'

// Agents write their transcripts later than they run their hooks.

type Lines = (moment: string) => object[]

/**
 * A session of an agent: the path of its transcript, and the lines about a turn with two model calls, of 10 and 20
 * tokens.
 */
interface Behind {
  agent: string
  path: string
  /** The lines that exist when the hook runs. */
  early: Lines
  /** The lines that the agent writes later. */
  late: Lines
}

const claudeSays = (timestamp: string, id: string, text: string, stop_reason: string, input_tokens: number) => ({
  type: 'assistant',
  timestamp,
  message: {
    id,
    model: 'm',
    content: [{ type: 'text', text }],
    stop_reason,
    usage: { input_tokens, output_tokens: 1 },
  },
})
const codexEvent = (timestamp: string, payload: object) => ({ timestamp, type: 'event_msg', payload })
const codexTotal = (timestamp: string, input_tokens: number) =>
  codexEvent(timestamp, { type: 'token_count', info: { total_token_usage: { input_tokens, output_tokens: 2 } } })
const copilotUsed = (timestamp: string, inputTokens: number) => ({
  timestamp,
  type: 'session.usage_record',
  data: { usage: { model: 'm', inputTokens, outputTokens: 1 } },
})
const copilotSays = (timestamp: string, content: string, toolRequests: object[]) => ({
  timestamp,
  type: 'assistant.message',
  data: { content, toolRequests },
})
const geminiSays = (timestamp: string, id: string, content: string, input: number, toolCalls?: object[]) => ({
  ...{ timestamp, id, type: 'gemini', content, model: 'm', tokens: { input, output: 1 } },
  ...(toolCalls && { toolCalls }),
})
const qwenSays = (timestamp: string, promptTokenCount: number, ...parts: object[]) => ({
  ...{ timestamp, type: 'assistant', model: 'm', message: { parts } },
  usageMetadata: { promptTokenCount, candidatesTokenCount: 1 },
})

const agents: Behind[] = [
  {
    agent: 'claude',
    path: '.claude/projects/demo/x.jsonl',
    early: (at) => [
      { type: 'user', timestamp: at, message: { content: 'Go' } },
      claudeSays(at, `m1 ${at}`, 'I look.', 'tool_use', 10),
    ],
    late: (at) => [claudeSays(at, `m2 ${at}`, 'Done.', 'end_turn', 20)],
  },
  {
    agent: 'codex',
    path: 'rollout-2026-01-31T09-30-00-x.jsonl',
    early: (at) => [codexEvent(at, { type: 'task_started' }), codexTotal(at, 10)],
    late: (at) => [codexTotal(at, 30), codexEvent(at, { type: 'task_complete', last_agent_message: 'Done.' })],
  },
  {
    agent: 'copilot',
    path: '.copilot/session-state/x/events.jsonl',
    early: (at) => [
      { timestamp: at, type: 'user.message', data: { content: 'Go' } },
      copilotUsed(at, 10),
      copilotSays(at, 'I look.', [{ name: 'view' }]),
    ],
    late: (at) => [copilotUsed(at, 20), copilotSays(at, 'Done.', [])],
  },
  {
    agent: 'gemini',
    path: '.gemini/tmp/x.jsonl',
    early: (at) => [
      { timestamp: at, type: 'user' },
      geminiSays(at, `m1 ${at}`, 'I look.', 10, [{ id: 'c' }]),
      { timestamp: at, type: 'user' },
    ],
    late: (at) => [geminiSays(at, `m2 ${at}`, 'Done.', 20)],
  },
  {
    agent: 'qwen',
    path: '.qwen/projects/x.jsonl',
    early: (at) => [
      { timestamp: at, type: 'user', provenance: 'real_user' },
      qwenSays(at, 10, { text: 'I look.' }, { functionCall: { name: 'read' } }),
    ],
    late: (at) => [qwenSays(at, 20, { text: 'Done.' })],
  },
]

const textOf = (lines: object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')
const now = () => new Date().toISOString()

/** Sends hooks to Conduct. Gemini CLI has other names for the same events. */
function tellerOf({ agent, path }: Behind, cwd: string, env: ProgramEnv) {
  const names: Record<string, string> =
    agent === 'gemini' ? { UserPromptSubmit: 'BeforeAgent', Stop: 'AfterAgent' } : {}
  const isDated = agent === 'copilot' || agent === 'gemini'
  return (event: string, more: object = {}) => {
    const head = { session_id: 'x', cwd, transcript_path: join(env.HOME ?? '', path), permission_mode: 'default' }
    const document = { ...head, hook_event_name: names[event] ?? event, ...(isDated && { timestamp: now() }), ...more }
    return hook(agent, document, env)
  }
}

for (const one of agents) {
  test(`${one.agent}: sync waits for a transcript that is behind its hook`, async (t) => {
    const user = workplace(t)
    const { env, cwd } = user
    const path = join(env.HOME, one.path)
    const tell = tellerOf(one, cwd, env)
    mkdirSync(dirname(path), { recursive: true })
    await tell('UserPromptSubmit', { prompt: 'Go' })
    writeFileSync(path, textOf(one.early(now())))
    // The lines come in time, however long they take.
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
    await tell('Stop')
    using state = stateOf(env)
    const settled = settleNotes(state, env, assert.fail)
    await sleep(700)
    appendFileSync(path, textOf(one.late(now())))
    await settled
    t.mock.timers.reset()
    await syncAll(env)
    const [first] = await turnsOf(user)
    assert.deepEqual([first?.answer, first?.usage?.inputTokens], ['Done.', 30])

    // The complete lines of the first turn do not count as those of the next.
    await tell('UserPromptSubmit', { prompt: 'Go on' })
    await tell('Stop')
    await syncAll(env)
    const [, second] = await turnsOf(user)
    assert.deepEqual([second?.prompt, second?.answer, second?.usage], ['Go on', undefined, undefined])

    appendFileSync(path, textOf([...one.early(now()), ...one.late(now())]))
    await tell('SessionEnd')
    await syncAll(env)
    const { usage, turns, status } = await onlyRun(user)
    assert.deepEqual([status, turns.count, usage?.inputTokens], ['completed', 2, 60])
  })
}

test('after the clock is set back, sync waits no longer for a transcript or a hook', { timeout: 60_000 }, async (t) => {
  const { env, cwd } = workplace(t)
  const claude = claudeIn(cwd, env)
  claude.transcribe({ type: 'user', timestamp: new Date().toISOString(), message: { content: 'Go' } })
  await claude.prompt('Go')
  await claude.end()
  const db = new DatabaseSync(stateFile(env))
  t.after(() => db.close())
  db.exec('update notes set at = at + 3600000')
  using state = stateOf(env)
  await settleNotes(state, env, assert.fail)
  assert.deepEqual(state.noted(), [])
})
