import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { readDocument } from '../../src/recorder/agents/read.ts'
import type { Step } from '../../src/recorder/agents/seen.ts'
import { documentOf, namesOf, seenIn, stepIn } from './documents.ts'

const own = (name: string, changes: JsonFields = {}) => documentOf('copilot', name, changes)
const asClaude = (name: string, changes: JsonFields = {}) => documentOf('copilot-in-claude-hooks', name, changes)
const out = 'echo out; echo err >&2; node src/app.js'

const steps: [string, Step][] = [
  ['sessionStart-new', { kind: 'start', source: 'startup' }],
  ['sessionStart-resume', { kind: 'start', source: 'resume' }],
  ['userPromptSubmitted', { kind: 'prompt', text: 'Add a greeting to the demo\nand run its tests.' }],
  ['preToolUse-bash', { kind: 'begin', tool: 'bash', target: out }],
  ['postToolUse-bash', { kind: 'tool', tool: 'bash', command: out, exitCode: 0 }],
  [
    'postToolUse-bash-exit-3',
    { kind: 'tool', tool: 'bash', command: 'echo broken >&2; exit 3', exitCode: 3, failed: true },
  ],
  ['postToolUse-edit', { kind: 'tool', tool: 'edit', files: ['/home/demo/demo/src/app.js'] }],
  ['postToolUse-create', { kind: 'tool', tool: 'create', files: ['/home/demo/demo/src/greet.js'] }],
  ['postToolUse-view', { kind: 'tool', tool: 'view' }],
  ['postToolUse-conduct-record_check', { kind: 'tool', tool: 'conduct-record_check' }],
  ['postToolUseFailure-edit', { kind: 'tool', tool: 'edit', failed: true }],
  ['agentStop', { kind: 'turn' }],
  ['subagentStop-in-subagent', { kind: 'subagent', name: 'explore', id: 'a365e701-6d0a-4eb0-b4c7-6b947eacc5f6' }],
  ['sessionEnd-complete', { kind: 'end' }],
  [
    'sessionEnd-error',
    { kind: 'end', failure: { code: 'AGENT_FAILED', message: 'Copilot ended the session because of an error.' } },
  ],
]

for (const [name, step] of steps) {
  test(`Copilot's ${name} is read`, () => {
    assert.deepEqual(stepIn('copilot', own(name)), step)
  })
}

const claudeSteps: [string, Step][] = [
  ['UserPromptSubmit', { kind: 'prompt', text: 'Add a greeting to the demo\nand run its tests.' }],
  ['PostToolUse-Bash', { kind: 'tool', tool: 'Bash', command: out, exitCode: 0 }],
  [
    'PostToolUse-Bash-exit-3',
    { kind: 'tool', tool: 'Bash', command: 'echo broken >&2; exit 3', exitCode: 3, failed: true },
  ],
  ['PostToolUse-Edit', { kind: 'tool', tool: 'Edit', files: ['/home/demo/demo/src/app.js'] }],
  ['PostToolUse-Write', { kind: 'tool', tool: 'Write', files: ['/home/demo/demo/src/greet.js'] }],
  ['Stop', { kind: 'turn' }],
  ['SessionEnd', { kind: 'end' }],
  [
    'SessionEnd-error',
    { kind: 'end', failure: { code: 'AGENT_FAILED', message: 'Copilot ended the session because of an error.' } },
  ],
  ['SubagentStop-in-subagent', { kind: 'subagent', name: 'explore', id: 'ffe4b48c-2f0b-48b5-b3de-dba0f254f90d' }],
  [
    'PostToolUse-in-subagent',
    { kind: 'tool', tool: 'Bash', command: 'exit 4', exitCode: 4, failed: true, by: 'explore' },
  ],
]

for (const [name, step] of claudeSteps) {
  test(`Copilot's ${name} to a hook of Claude Code is read as Copilot's`, () => {
    const seen = seenIn('claude', asClaude(name), { COPILOT_CLI: '1' })
    assert.deepEqual([seen.agent, seen.step], ['copilot', step])
  })
}

test('every document of Copilot is recognised as its own, never as one of Claude Code', () => {
  for (const name of namesOf('copilot')) {
    for (const { agent, cwd } of readDocument('copilot', own(name), {}))
      assert.deepEqual([agent, cwd], ['copilot', own(name).cwd])
  }
  for (const name of namesOf('copilot-in-claude-hooks')) {
    // Without this environment, too, Conduct does not take an unmarked document for one of Claude Code.
    const agents = readDocument('claude', asClaude(name), {}).map(({ agent }) => agent)
    assert.ok(!agents.includes('claude-code'), name)
  }
})

test('steps of a subagent of Copilot belong to the session that it works for', () => {
  const seen = seenIn('copilot', own('postToolUse-bash-in-subagent'))
  assert.equal(seen.session, '5e990138-8668-4a29-a3fa-5025fef116d7')
  assert.deepEqual(seen.subagent, { id: 'a365e701-6d0a-4eb0-b4c7-6b947eacc5f6', name: 'explore' })
  assert.equal(seen.step.kind === 'tool' && seen.step.by, 'explore')
  for (const name of ['userPromptSubmitted-in-subagent', 'agentStop-in-subagent']) {
    assert.deepEqual(readDocument('copilot', own(name), {}), [])
  }
  const env = { COPILOT_CLI: '1' }
  assert.equal(
    seenIn('claude', asClaude('PostToolUse-in-subagent'), env).session,
    'bc701c16-2a6e-491a-9dc6-cbdd06fe18ca',
  )
  for (const name of ['UserPromptSubmit-in-subagent', 'Stop-in-subagent']) {
    assert.deepEqual(readDocument('claude', asClaude(name), env), [])
  }
})

test('an error that Copilot retries, and a permission for which it asks nobody, report nothing', () => {
  for (const name of ['errorOccurred', 'permissionRequest-bash', 'permissionRequest-edit']) {
    assert.deepEqual(readDocument('copilot', own(name), {}), [])
  }
})

test('Copilot waits when it notifies the user of a permission prompt or a question', () => {
  const notified = (notification_type: string) => {
    const document = { sessionId: 's1', timestamp: 1, cwd: '/shop', hook_event_name: 'Notification', notification_type }
    return readDocument('copilot', document, {}).map(({ step }) => step)
  }
  assert.deepEqual(notified('permission_prompt'), [{ kind: 'wait' }])
  assert.deepEqual(notified('elicitation_dialog'), [{ kind: 'wait' }])
  assert.deepEqual(notified('shell_completed'), [])
})

test('the same moment has the same id in the hooks of Copilot and of Claude Code', () => {
  const moment = { timestamp: 1795567447504, sessionId: 'ded19cff-0343-47c7-aa18-77f06902365f' }
  const first = seenIn('copilot', own('postToolUse-bash-exit-3', moment))
  const second = seenIn('claude', asClaude('PostToolUse-Bash-exit-3'))
  assert.deepEqual([first.id, first.session], [second.id, second.session])
  const before = seenIn('copilot', own('preToolUse-bash-exit-3', moment))
  const later = seenIn('copilot', own('postToolUse-bash-exit-3', { ...moment, timestamp: 1795567447505 }))
  assert.equal(new Set([first.id, before.id, later.id]).size, 3)
})

test('the transcript of Copilot CLI is found when no event names it', () => {
  const env = { COPILOT_CLI: '1', HOME: '/home/demo' }
  const path = '/home/demo/.copilot/session-state/a7ba31eb-8739-49d4-98e7-2565625d26f0/events.jsonl'
  assert.equal(seenIn('copilot', own('sessionEnd-error'), env).transcript, path)
  assert.equal(seenIn('copilot', own('sessionEnd-error'), { HOME: '/home/demo' }).transcript, undefined)
})

test('VS Code writes documents like Claude Code, with two names of its own', () => {
  const document = {
    timestamp: '2026-02-09T10:30:00.000Z',
    cwd: '/shop',
    sessionId: 's1',
    hookEventName: 'PostToolUse',
    transcript_path: '/home/me/.config/Code/User/workspaceStorage/1/GitHub.copilot-chat/transcripts/s1.json',
    tool_name: 'create_file',
    tool_input: { filePath: '/shop/a.ts', content: 'a' },
    tool_use_id: 'tool-123',
    tool_response: 'File created',
  }
  for (const more of [
    {},
    { sessionId: undefined, session_id: 's1', hookEventName: undefined, hook_event_name: 'PostToolUse' },
  ]) {
    const seen = seenIn('claude', { ...document, ...more })
    assert.deepEqual([seen.agent, seen.session], ['copilot', 's1'])
    assert.deepEqual(seen.step, { kind: 'tool', tool: 'create_file', id: 'tool-123', files: ['/shop/a.ts'] })
  }
})

test('a notification about a background command of Copilot is not a prompt', () => {
  const prompt =
    '<system_notification>\nShell command "a" (shellId: 0) has completed successfully.\n</system_notification>'
  const document = { sessionId: 'a', timestamp: 1, cwd: '/shop', prompt }
  assert.deepEqual(readDocument('copilot', document, { COPILOT_CLI: '1' }), [])
  const [seen] = readDocument('copilot', { ...document, prompt: 'Explain <system_notification>' }, { COPILOT_CLI: '1' })
  assert.equal(seen?.step.kind, 'prompt')
})
