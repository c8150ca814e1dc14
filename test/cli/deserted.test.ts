import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { settleNotes } from '../../src/capture/hook/session.ts'
import { stateFile, stateOf } from '../../src/capture/spool/state-file.ts'
import { main } from '../support/program.ts'
import { claudeIn, type Document, onlyRun, syncAll, turnsOf, untilNobodyRuns, workplace } from './session.ts'
import type { User } from './user.ts'

/** An agent in a process of its own, which runs `conduct hook` as agents do, and ends without another hook. */
async function agentOf(t: TestContext, { env, cwd }: Pick<User, 'env' | 'cwd'>) {
  const program = join(env.HOME, 'agent.mjs')
  writeFileSync(
    program,
    `import { execFileSync } from 'node:child_process'
    process.on('message', ({ input, isLast }) => {
      const env = { ...process.env, HOME: process.env.FOLDER }
      execFileSync(process.execPath, [${JSON.stringify(main)}, 'hook', 'claude'], { input, env })
      if (isLast) process.kill(process.pid, 'SIGKILL')
      process.send('heard')
    })
    process.send('ready')`,
  )
  // It has another HOME, so that the test does not wait for it as for a process that hooks started.
  const child = fork(program, [], { env: { ...env, HOME: cwd, FOLDER: env.HOME }, cwd, execArgv: [] })
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'message')
  const session = randomUUID()
  const transcript_path = join(env.HOME, `.claude/projects/demo/${session}.jsonl`)
  const send = (hook_event_name: string, more: Document, isLast: boolean) => {
    const prompt_id = `${hook_event_name} ${JSON.stringify(more)}`
    const input = JSON.stringify({ session_id: session, transcript_path, cwd, prompt_id, hook_event_name, ...more })
    child.send({ input, isLast })
  }
  return {
    session,
    async tell(hook_event_name: string, more: Document = {}) {
      send(hook_event_name, more, false)
      await once(child, 'message')
    },
    /** Runs the last hook, after which the agent kills itself. */
    async tellLast(hook_event_name: string, more: Document) {
      send(hook_event_name, more, true)
      await once(child, 'exit')
    },
    async kill() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

const edit = (id: string) => ({ tool_name: 'Edit', tool_input: { file_path: 'src/login.ts' }, tool_use_id: id })

test('a session whose agent is gone ends at once, with the result of its last turn', async (t) => {
  const user = workplace(t)
  const agent = await agentOf(t, user)
  await agent.tell('UserPromptSubmit', { prompt: 'Go' })
  await agent.tell('PostToolUse', { ...edit('1'), tool_response: {} })
  await agent.tellLast('Stop', { last_assistant_message: 'Done.' })
  // The process that the last hook started notices that the agent is gone.
  untilNobodyRuns(user.env.HOME)
  const run = await onlyRun(user)
  assert.deepEqual([run.status, run.failure, run.turns.last?.answer], ['completed', null, 'Done.'])
  assert.ok(Date.parse(run.endedAt ?? '') >= Date.parse(run.turns.last?.endedAt ?? ''))
})

test('a session whose agent disappears during a turn fails, and can be resumed', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const agent = await agentOf(t, user)
  await agent.tell('UserPromptSubmit', { prompt: 'Go' })
  await agent.tell('PostToolUse', { ...edit('1'), tool_response: {} })
  untilNobodyRuns(env.HOME)
  await syncAll(env)
  assert.equal((await onlyRun(user)).status, 'in_progress', 'it works')
  await agent.kill()
  await syncAll(env)
  const run = await onlyRun(user)
  const failure = { code: 'AGENT_GONE', message: "The agent's process ended before the turn did." }
  assert.deepEqual([run.status, run.failure, run.turns.last?.failure], ['failed', failure, failure])
  assert.deepEqual([run.turns.last?.prompt, run.turns.last?.tools], ['Go', [{ name: 'Edit', count: 1 }]])
  const { session } = run.where ?? {}
  const resumed = claudeIn(cwd, env, session)
  await resumed.prompt('Again')
  await resumed.stop()
  await resumed.end()
  await syncAll(env)
  const { status, turns } = await onlyRun(user)
  assert.deepEqual([status, turns.count], ['completed', 2])
})

test('a process from which only one hook came does not count as the agent', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const agent = await agentOf(t, user)
  await agent.tell('UserPromptSubmit', { prompt: 'Go' })
  await agent.kill()
  untilNobodyRuns(env.HOME)
  await syncAll(env)
  const run = await onlyRun(user)
  assert.equal(run.status, 'in_progress')
  // The next hook comes from another process.
  const claude = claudeIn(cwd, env, run.where?.session)
  await claude.run('true')
  await syncAll(env)
  assert.equal((await onlyRun(user)).status, 'in_progress')
})

test('a session that sends a hook while sync checks its agent continues', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  await claude.run('true')
  await syncAll(env)
  const db = new DatabaseSync(stateFile(env))
  t.after(() => db.close())
  const gone = `json_set(agent_process, '$.pid', ${2 ** 22 + 1})`
  db.exec(`update recordings set agent_process = ${gone}, agent_proven = 1`)
  using state = stateOf(env)
  const silent = state.deserted()
  assert.equal(silent.length, 1)
  await claude.run('true')
  await settleNotes({ ...state, deserted: () => silent }, env, assert.fail)
  await claude.stop()
  await claude.end()
  await syncAll(env)
  const { status, turns } = await onlyRun(user)
  assert.deepEqual([status, turns.count, turns.last?.failure], ['completed', 1, undefined])
})

const at = () => new Date().toISOString()
const user = (content: string) => ({ type: 'user', timestamp: at(), version: '2.3.4', message: { content } })
const answer = (id: string, text: string, stop_reason: string | null = 'end_turn') => ({
  type: 'assistant',
  timestamp: at(),
  message: {
    ...{ id, model: 'claude-sonnet-4-5', content: [{ type: 'text', text }], stop_reason },
    usage: { input_tokens: 10, output_tokens: 1 },
  },
})

/** A session whose agent ended without a hook after the second of two equal prompts, and its transcript since then. */
async function deserted(t: TestContext, lines: () => object[], isEarly = false) {
  const place = workplace(t)
  const agent = await agentOf(t, place)
  const claude = claudeIn(place.cwd, place.env, agent.session)
  await agent.tell('UserPromptSubmit', { prompt: 'Go', prompt_id: 'first' })
  const first = [user('Go'), answer('m1', 'Done.')]
  await agent.tell('Stop', { last_assistant_message: 'Done.' })
  const second = user('Go')
  await agent.tell('UserPromptSubmit', { prompt: 'Go', prompt_id: 'second' })
  const early = lines()
  await agent.tell('PostToolUse', { ...edit('1'), tool_response: {} })
  untilNobodyRuns(place.env.HOME)
  const since = isEarly ? early : lines()
  claude.transcribe(...first, ...(since.length > 0 ? [second] : []), ...since)
  await agent.kill()
  return { place, claude }
}

test('a session whose agent is gone ends well if its transcript has the answer at the end of the turn', async (t) => {
  const { place } = await deserted(t, () => [answer('m2', 'Pushed.')])
  await syncAll(place.env)
  const run = await onlyRun(place)
  const { last } = run.turns
  assert.deepEqual([run.status, run.failure, last?.failure, last?.answer], ['completed', null, undefined, 'Pushed.'])
  assert.equal(run.agentVersion, '2.3.4')
  assert.ok(Date.parse(run.endedAt ?? '') >= Date.parse(last?.endedAt ?? ''))
})

const unproven: [what: string, lines: () => object[], isEarly?: true][] = [
  ['lacks the turn', () => []],
  ['has no answer', () => [user('More')]],
  ['goes on with a tool', () => [answer('m2', 'I look.', 'tool_use')]],
  ['does not say whether its last words end the turn', () => [answer('m2', 'I look.', null)]],
  ['ends before the last hook', () => [answer('m2', 'I look.')], true],
]

for (const [what, lines, isEarly] of unproven) {
  test(`a session whose agent is gone fails if its transcript ${what}`, async (t) => {
    const { place } = await deserted(t, lines, isEarly)
    await syncAll(place.env)
    const { status, failure, turns } = await onlyRun(place)
    assert.deepEqual([status, failure?.code, turns.last?.failure?.code], ['failed', 'AGENT_GONE', 'AGENT_GONE'])
  })
}

test('a turn whose agent is gone ends with the answer of its transcript when the session is resumed', async (t) => {
  const { place, claude } = await deserted(t, () => [answer('m2', 'Pushed.')])
  await claude.prompt('Again')
  await claude.stop()
  await syncAll(place.env)
  assert.deepEqual(
    (await turnsOf(place)).map(({ answer, failure, interrupted }) => [answer, failure?.code, interrupted]),
    [
      ['Done.', undefined, undefined],
      ['Pushed.', undefined, undefined],
      ['Done.', undefined, undefined],
    ],
  )
})

test('a session that is resumed after its agent disappeared has its own words and tokens in each turn', async (t) => {
  const place = workplace(t)
  const { env, cwd } = place
  const agent = await agentOf(t, place)
  await agent.tell('UserPromptSubmit', { prompt: 'Go' })
  await agent.tell('PostToolUse', { ...edit('1'), tool_response: {} })
  untilNobodyRuns(env.HOME)
  await agent.kill()
  const lines: object[] = [user('Go'), answer('m1', 'I look.', 'tool_use')]
  const resumed = claudeIn(cwd, env, agent.session)
  await resumed.prompt('Again')
  await sleep(10)
  resumed.transcribe(...lines, user('Again'), answer('m2', 'Done.'))
  await resumed.stop()
  await syncAll(env)
  const turns = await turnsOf(place)
  assert.deepEqual(
    turns.map(({ prompt, answer, failure, interrupted, usage }) => ({
      ...{ prompt, answer, failure: failure?.code, interrupted, tokens: usage?.inputTokens },
    })),
    [
      { prompt: 'Go', answer: undefined, failure: 'AGENT_GONE', interrupted: undefined, tokens: 10 },
      { prompt: 'Again', answer: 'Done.', failure: undefined, interrupted: undefined, tokens: 10 },
    ],
  )
})
