import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type JsonFields, textOf } from '../../src/recorder/agents/fields.ts'
import { activityOf } from '../../src/recorder/agents/tools.ts'
import { stepIn } from './documents.ts'

const token = `ghp_${'k7Qw2ZrT9xBn4LsVd8Mf'.repeat(2).slice(0, 36)}`
/** A text whose first `length` characters end in the middle of a token. */
const across = (length: number) => `${'word '.repeat(length).slice(0, length - 10)}${token} and more`

const claude = (hook_event_name: string, more: JsonFields) =>
  stepIn('claude', { session_id: 's', cwd: '/shop', hook_event_name, ...more })

const bash = (length: number) => ({ tool_name: 'Bash', tool_input: { command: across(length) }, tool_use_id: 't' })
const plan = { tool_name: 'TodoWrite', tool_input: { todos: [{ content: across(500), status: 'pending' }] } }

const steps: [string, string, JsonFields][] = [
  ['prompt', 'UserPromptSubmit', { prompt: across(20_000) }],
  ['answer', 'Stop', { last_assistant_message: across(16_000) }],
  ['failure', 'StopFailure', { error: 'x', last_assistant_message: across(1_000) }],
  ['command', 'PostToolUse', bash(70_000)],
  ['plan', 'PostToolUse', plan],
  ['target', 'PreToolUse', bash(300)],
]

for (const [what, event, more] of steps) {
  test(`a ${what} that is cut has no part of a secret, which nothing would recognise any more`, () => {
    const step = claude(event, more)
    assert.match(JSON.stringify(step), /word wor/)
    assert.doesNotMatch(JSON.stringify(step), /ghp_/)
    assert.doesNotMatch(JSON.stringify(activityOf(step, '')), /ghp_/)
  })
}

test('the activity of a command has no part of a secret either', () => {
  assert.doesNotMatch(JSON.stringify(activityOf(claude('PostToolUse', bash(300)), '')), /ghp_/)
})

const cases: [what: string, text: string, length: number, kept: string][] = [
  ['a text that fits stays as it is', 'one two', 7, 'one two'],
  ['a divided word is left out', 'one two', 6, 'one '],
  ['a cut between two words leaves both whole', 'one two three', 7, 'one two'],
  ['a single word is cut, because it says more than nothing', '/shop/src/login.ts', 5, '/shop'],
  ['words without spaces between them are cut', 'ログインを直す', 4, 'ログイン'],
  ['no more than 2,000 characters of a word are left out', `a ${'b'.repeat(9_000)}`, 5_000, `a ${'b'.repeat(2_998)}`],
]

for (const [what, text, length, kept] of cases) {
  test(what, () => assert.equal(textOf(text, length), kept))
}
