import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDocument } from '../../src/agents/read.ts'
import { seenIn, stepIn } from './documents.ts'

/** Fields as the hooks reference of Factory describes them. */
const base = {
  session_id: 'abc123',
  transcript_path: '/home/me/.factory/sessions/-shop/abc123.jsonl',
  cwd: '/shop',
  permission_mode: 'default',
}

test("Droid is recognised by its transcript, whatever the hook's name", () => {
  for (const named of ['droid', 'claude']) {
    assert.equal(seenIn(named, { ...base, hook_event_name: 'Stop', stop_hook_active: false }).agent, 'droid')
  }
})

test("Droid's tools give commands without an exit code, and edits with their file", () => {
  const used = { ...base, hook_event_name: 'PostToolUse', tool_response: {} }
  assert.deepEqual(stepIn('droid', { ...used, tool_name: 'Execute', tool_input: { command: 'npm test' } }), {
    kind: 'tool',
    tool: 'Execute',
    command: 'npm test',
  })
  assert.deepEqual(stepIn('droid', { ...used, tool_name: 'Create', tool_input: { file_path: '/shop/a.ts' } }), {
    kind: 'tool',
    tool: 'Create',
    files: ['/shop/a.ts'],
  })
})

test('Droid waits when it says that it needs a permission', () => {
  const notified = (message: string) =>
    readDocument('droid', { ...base, hook_event_name: 'Notification', message }, {}).map(({ step }) => step)
  assert.deepEqual(notified('Droid needs your permission to use Execute'), [{ kind: 'wait' }])
  assert.deepEqual(notified('Droid is waiting for your input'), [])
})
