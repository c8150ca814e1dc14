import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { claudeMoments } from '../../src/recorder/agents/claude/transcript.ts'
import { codexMoments } from '../../src/recorder/agents/codex/transcript.ts'
import { budget } from '../../src/recorder/agents/lines.ts'
import { turnsOf } from '../../src/recorder/past.ts'
import { type Moment, type TranscriptReader, withSubagents } from '../../src/recorder/transcripts/moment.ts'
import { freshFolder } from '../cli/folder.ts'

/** The turns of a transcript with these lines, one a second. */
async function turnsIn(t: TestContext, lines: object[], moments: TranscriptReader = claudeMoments) {
  const file = join(freshFolder(t), 'session.jsonl')
  const timed = lines.map((line, at) => ({ timestamp: new Date(1e12 + at * 1000).toISOString(), cwd: '/', ...line }))
  writeFileSync(file, timed.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const turns = turnsOf(
    moments(file, [], () => {}, budget()),
    async (text) => text,
  )
  return (await Array.fromAsync(turns)).map(({ turn: { prompt, answer, commands = [], interrupted } }) => ({
    ...{ prompt, answer, commands: commands.map(({ command }) => command) },
    ...(interrupted && { interrupted }),
  }))
}

const user = (content: unknown) => ({ type: 'user', message: { content } })
const queued = (prompt: unknown, commandMode = 'prompt') => ({
  type: 'attachment',
  attachment: { type: 'queued_command', prompt, commandMode },
})
const answer = (text: string) => ({
  type: 'assistant',
  message: { id: text, content: [{ type: 'text', text }], stop_reason: 'end_turn' },
})
const run = (id: string) => [
  {
    type: 'assistant',
    message: {
      id,
      content: [{ type: 'tool_use', id, name: 'Bash', input: { command: id } }],
      stop_reason: 'tool_use',
    },
  },
  { type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: id, content: '' }] }, toolUseResult: {} },
]

test('a message that was sent while the agent worked begins a turn of its own', async (t) => {
  const lines = [
    user('One.'),
    ...run('first'),
    queued('Two.'),
    ...run('second'),
    queued('<task-notification>done</task-notification>', 'task-notification'),
    queued([
      { type: 'text', text: 'Three.' },
      { type: 'image', source: {} },
    ]),
    answer('All done.'),
  ]
  assert.deepEqual(await turnsIn(t, lines), [
    { prompt: 'One.', answer: undefined, commands: ['first'] },
    { prompt: 'Two.', answer: undefined, commands: ['second'] },
    { prompt: 'Three.', answer: 'All done.', commands: [] },
  ])
})

test('a message that is only an image begins a turn', async (t) => {
  const lines = [user('One.'), answer('First.'), user([{ type: 'image', source: {} }]), answer('I see it.')]
  assert.deepEqual(await turnsIn(t, lines), [
    { prompt: 'One.', answer: 'First.', commands: [] },
    { prompt: undefined, answer: 'I see it.', commands: [] },
  ])
})

test('a command of the user ends the turn before it, which keeps its answer', async (t) => {
  const lines = [
    user('One.'),
    answer('First.'),
    user('<bash-input>ls</bash-input>'),
    user('<bash-stdout>a</bash-stdout><bash-stderr></bash-stderr>'),
    answer('I see a.'),
  ]
  assert.deepEqual(await turnsIn(t, lines), [
    { prompt: 'One.', answer: 'First.', commands: [] },
    { prompt: '!ls', answer: 'I see a.', commands: [] },
  ])
})

const item = (turn_id: string, item: object) => ({
  type: 'event_msg',
  payload: { type: 'item_completed', thread_id: 's', turn_id, item },
})
const asked = (turn: string, text: string) => item(turn, { type: 'UserMessage', content: [{ type: 'text', text }] })
const ran = (turn: string, command: string, source: string) =>
  item(turn, { type: 'CommandExecution', id: command, command: ['bash', '-lc', command], source, exit_code: 0 })
const ended = (last_agent_message: string) => ({
  type: 'event_msg',
  payload: { type: 'task_complete', last_agent_message },
})

test("a message that was sent while Codex worked interrupts nothing, and the user's commands are not the agent's", async (t) => {
  const lines = [
    asked('1', 'One.'),
    ran('1', 'first', 'unified_exec_startup'),
    ran('1', 'mine', 'user_shell'),
    asked('1', 'Two.'),
    ended('Both done.'),
    asked('2', 'Three.'),
    asked('3', 'Four.'),
    ended('Done.'),
  ]
  assert.deepEqual(await turnsIn(t, lines, codexMoments), [
    { prompt: 'One.', answer: undefined, commands: ['first'] },
    { prompt: 'Two.', answer: 'Both done.', commands: [] },
    { prompt: 'Three.', answer: undefined, commands: [], interrupted: true },
    { prompt: 'Four.', answer: 'Done.', commands: [] },
  ])
})

test('the steps of subagents are put in order, however many there are, and an unreadable one is left out', async () => {
  const many = Array.from({ length: 200_000 }, (_, n): Moment => ({ at: 2 * n }))
  const read = async (file: string) => {
    if (file === 'gone') throw new Error('It is gone.')
    return many
  }
  const own = (async function* () {
    yield { at: 1 }
  })()
  const passed: string[] = []
  const moments = await Array.fromAsync(
    withSubagents(own, ['gone', 'long'], read, (file, _, reason) => passed.push(`${file}: ${reason}`)),
  )
  assert.deepEqual([moments.length, moments[1]?.at, passed], [200_001, 1, ['gone: It is gone.']])
})

test('a command of Codex that ends after its turn begins no other', async (t) => {
  const end = { type: 'event_msg', payload: { type: 'task_complete', turn_id: '1', last_agent_message: 'Done.' } }
  const lines = [asked('1', 'Go.'), end, ran('1', 'late', 'unified_exec_startup')]
  assert.deepEqual(await turnsIn(t, lines, codexMoments), [{ prompt: 'Go.', answer: 'Done.', commands: [] }])
})
