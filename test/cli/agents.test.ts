import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Step } from '../../src/agents/agent.ts'
import { claude } from '../../src/agents/claude.ts'
import { codex } from '../../src/agents/codex.ts'
import { cursor } from '../../src/agents/cursor.ts'

const session = { session_id: 's', conversation_id: 's', cwd: '/shop', workspace_roots: ['/shop'] }

const bash = (more: object) => ({
  hook_event_name: 'PostToolUse',
  tool_name: 'Bash',
  tool_input: { command: 'make' },
  ...more,
})
const ran = (tool: string, exitCode: number | undefined): Step => ({ kind: 'tool', tool, command: 'make', exitCode })

const cases: [typeof claude, object, Step | undefined][] = [
  [claude, bash({ tool_response: { stdout: 'ok' } }), ran('Bash', 0)],
  [claude, bash({ tool_response: { stdout: '', interrupted: true } }), ran('Bash', undefined)],
  [claude, bash({ tool_response: { stdout: '', backgroundTaskId: 'b1' } }), ran('Bash', undefined)],
  [claude, bash({ hook_event_name: 'PostToolUseFailure', error: 'Exit code 2\nno rule' }), ran('Bash', 2)],
  [
    claude,
    bash({ hook_event_name: 'PostToolUseFailure', error: 'Command exited with non-zero status code 127' }),
    ran('Bash', 127),
  ],
  [claude, bash({ hook_event_name: 'PostToolUseFailure', error: 'spawn failed' }), ran('Bash', undefined)],
  // An edit that failed has changed nothing.
  [
    claude,
    {
      hook_event_name: 'PostToolUseFailure',
      tool_name: 'Edit',
      tool_input: { file_path: '/shop/a' },
      error: 'no match',
    },
    { kind: 'tool', tool: 'Edit' },
  ],
  [claude, { hook_event_name: 'UserPromptSubmit', prompt: 'a\u0000b\ud800' }, { kind: 'prompt', text: 'ab\ufffd' }],
  [
    claude,
    {
      hook_event_name: 'StopFailure',
      error: 'rate_limit',
      last_assistant_message: 'API Error: Request rejected (429)',
    },
    { kind: 'turn', failure: 'rate_limit: API Error: Request rejected (429)' },
  ],
  [
    claude,
    { hook_event_name: 'StopFailure', error: 'invalid_request', error_details: '400 {}' },
    { kind: 'turn', failure: 'invalid_request: 400 {}' },
  ],
  [claude, { hook_event_name: 'StopFailure' }, { kind: 'turn', failure: 'The API failed.' }],
  [claude, { hook_event_name: 'Notification', message: 'Claude waits' }, undefined],
  // What a program prints is not taken for its exit code.
  [codex, bash({ tool_response: 'Exit code: 3' }), ran('Bash', undefined)],
  [codex, bash({ tool_response: '{"output":"","metadata":{"exit_code":3}}' }), ran('Bash', 3)],
  [
    codex,
    bash({ tool_input: { command: ['ma', 'ke'] } }),
    { kind: 'tool', tool: 'Bash', command: 'ma ke', exitCode: undefined },
  ],
  [
    codex,
    bash({ tool_name: 'apply_patch', tool_input: { command: '*** Add File: a b.ts\n+x\n*** Delete File: c.ts' } }),
    { kind: 'tool', tool: 'apply_patch', files: ['a b.ts', 'c.ts'] },
  ],
  [codex, { hook_event_name: 'Interrupt', turn_id: 't' }, { kind: 'turn' }],
  [cursor, { hook_event_name: 'stop', status: 'aborted' }, { kind: 'turn' }],
  [
    cursor,
    { hook_event_name: 'stop', status: 'error', error_message: 'no model' },
    { kind: 'turn', failure: 'no model' },
  ],
  [cursor, { hook_event_name: 'sessionEnd', reason: 'error' }, { kind: 'end', failure: 'Cursor tells of an error.' }],
  [cursor, { hook_event_name: 'sessionEnd', reason: 'user_close' }, { kind: 'end' }],
]

for (const [agent, document, step] of cases) {
  test(`${agent.title}: ${JSON.stringify(document)}`, () => {
    assert.deepEqual(agent.read({ ...session, ...document })?.step, step)
  })
}

test('Cursor tells no model where it chose one itself', () => {
  const document = { ...session, hook_event_name: 'beforeSubmitPrompt', prompt: 'Go' }
  assert.equal(cursor.read({ ...document, model: 'default' })?.model, undefined)
  assert.equal(cursor.read({ ...document, model: 'gpt-5.6-sol' })?.model, 'gpt-5.6-sol')
})
