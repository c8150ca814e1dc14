import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { claudeMoments } from '../../src/agents/past/claude.ts'
import { turnsOf } from '../../src/agents/past/turns.ts'
import { freshFolder } from '../cli/folder.ts'

/** The turns of a transcript with these lines, one a second. */
async function turnsIn(t: TestContext, lines: object[]) {
  const file = join(freshFolder(t), 'session.jsonl')
  const timed = lines.map((line, at) => ({ timestamp: new Date(1e12 + at * 1000).toISOString(), cwd: '/', ...line }))
  writeFileSync(file, timed.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const turns = turnsOf(
    claudeMoments(file, [], () => {}),
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
    { prompt: undefined, answer: 'I see a.', commands: [] },
  ])
})
