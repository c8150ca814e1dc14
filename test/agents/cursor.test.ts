import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { answerOf, readDocument } from '../../src/recorder/agents/read.ts'
import type { Step } from '../../src/recorder/agents/seen.ts'
import { seenIn, stepIn } from './documents.ts'

/** A document as the hooks reference of Cursor describes it. */
const cursor = (hook_event_name: string, more: JsonFields = {}): JsonFields => ({
  conversation_id: 'c1',
  generation_id: 'g1',
  model: 'gpt-5.6-sol',
  hook_event_name,
  cursor_version: '3.0.4',
  workspace_roots: ['/shop'],
  user_email: null,
  transcript_path: null,
  ...more,
})

const shell = { tool_name: 'Shell', tool_input: { command: 'make' }, tool_use_id: 'u1' }
const edit = { tool_name: 'Write', tool_input: { file_path: '/shop/a.ts' }, tool_use_id: 'u2' }

const steps: [string, JsonFields, Step | undefined][] = [
  ['sessionStart', { session_id: 'c1' }, { kind: 'start', source: 'startup' }],
  ['beforeSubmitPrompt', { prompt: 'Go' }, { kind: 'prompt', text: 'Go' }],
  ['preToolUse', shell, { kind: 'begin', tool: 'Shell', target: 'make', id: 'u1' }],
  [
    'postToolUse',
    { ...shell, tool_output: '{"exitCode":2}', duration: 12.4 },
    { kind: 'tool', tool: 'Shell', id: 'u1', command: 'make', exitCode: 2, failed: true, durationMs: 12 },
  ],
  ['postToolUse', { ...shell, tool_output: 'exitCode 2' }, { kind: 'tool', tool: 'Shell', id: 'u1', command: 'make' }],
  [
    'postToolUse',
    { ...shell, cwd: '/lib' },
    { kind: 'tool', tool: 'Shell', id: 'u1', command: 'make', folder: '/lib' },
  ],
  ['postToolUse', edit, undefined],
  ['afterFileEdit', { file_path: '/shop/a.ts', edits: [] }, { kind: 'tool', tool: 'Edit', files: ['/shop/a.ts'] }],
  ['postToolUseFailure', edit, { kind: 'tool', tool: 'Write', id: 'u2', failed: true }],
  [
    'postToolUseFailure',
    { ...shell, failure_type: 'permission_denied' },
    { kind: 'tool', tool: 'Shell', id: 'u1', command: 'make', failed: true, refused: true },
  ],
  ['subagentStop', { subagent_type: 'explore' }, { kind: 'subagent', name: 'explore' }],
  ['preCompact', { trigger: 'auto' }, { kind: 'compact' }],
  ['stop', { status: 'completed', loop_count: 0 }, { kind: 'turn' }],
  ['stop', { status: 'aborted' }, { kind: 'turn', interrupted: true }],
  [
    'stop',
    { status: 'error', error_message: 'no model' },
    { kind: 'turn', failure: { code: 'AGENT_FAILED', message: 'no model' } },
  ],
  [
    'stop',
    { status: 'completed', input_tokens: 900, output_tokens: 7, cache_read_tokens: 800, cache_write_tokens: 90 },
    { kind: 'turn', usage: { inputTokens: 900, outputTokens: 7, cacheReadTokens: 800, cacheWriteTokens: 90 } },
  ],
  ['sessionEnd', { reason: 'user_close' }, { kind: 'end' }],
  [
    'sessionEnd',
    { reason: 'error' },
    { kind: 'end', failure: { code: 'AGENT_FAILED', message: 'Cursor reports an error.' } },
  ],
]

for (const [event, more, step] of steps) {
  test(`Cursor's ${event} is read: ${JSON.stringify(more)}`, () => {
    const [seen] = readDocument('cursor', cursor(event, more), {})
    assert.deepEqual(seen?.step, step)
  })
}

test('a document of Cursor names the agent, its session, its folder and the chosen model', () => {
  const { agent, session, cwd, model } = seenIn('cursor', cursor('stop', { status: 'completed' }))
  assert.deepEqual([agent, session, cwd, model], ['cursor', 'c1', '/shop', 'gpt-5.6-sol'])
  assert.equal(seenIn('cursor', cursor('stop', { model: 'default' })).model, undefined)
})

test('a document that Cursor sends to the hooks of Claude Code is not read a second time', () => {
  assert.deepEqual(readDocument('claude', cursor('stop', { status: 'completed' }), {}), [])
  assert.equal(stepIn('cursor', cursor('stop')).kind, 'turn')
})

test('a hook prints an object without a decision for Cursor, and nothing for other agents', () => {
  assert.equal(answerOf('cursor'), '{}')
  for (const named of ['claude', 'codex', 'copilot', 'nobody']) assert.equal(answerOf(named), '')
})
