import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { readDocument } from '../../src/recorder/agents/read.ts'
import type { Step } from '../../src/recorder/agents/seen.ts'
import { documentOf, namesOf, seenIn, stepIn } from './documents.ts'

const codex = (name: string, changes: JsonFields = {}) => documentOf('codex', name, changes)

const steps: [string, Step][] = [
  ['SessionStart-startup', { kind: 'start', source: 'startup' }],
  ['SessionStart-clear', { kind: 'start', source: 'clear' }],
  ['UserPromptSubmit', { kind: 'prompt', text: 'Write one.' }],
  [
    'PreToolUse-apply_patch',
    {
      kind: 'begin',
      tool: 'apply_patch',
      id: 'exec-fd915612-f6d5-4e77-aa64-80f7306dc87a',
      target: '/home/demo/demo/one.txt',
    },
  ],
  [
    // The output has no exit code of its own; the exit code is in the rollout.
    'PostToolUse-Bash-exit-3',
    { kind: 'tool', tool: 'Bash', id: 'exec-17ba634b-acfb-490b-8a25-59bce528bc14', command: 'echo broken >&2; exit 3' },
  ],
  [
    'PostToolUse-Bash-in-subagent',
    { kind: 'tool', tool: 'Bash', id: 'exec-9e76453c-67e9-4b78-b10e-d7bcfc43d920', command: 'exit 4', by: 'default' },
  ],
  [
    'PostToolUse-apply_patch',
    {
      kind: 'tool',
      tool: 'apply_patch',
      id: 'exec-fd915612-f6d5-4e77-aa64-80f7306dc87a',
      files: ['/home/demo/demo/one.txt'],
    },
  ],
  ['PostToolUse-collaborationspawn_agent', { kind: 'tool', tool: 'spawn_agent', id: 'call_e894764eca1deac0094bd910' }],
  [
    // The tool records a command, but did not run one.
    'PostToolUse-mcp__conduct__record_check',
    { kind: 'tool', tool: 'mcp__conduct__record_check', id: 'exec-8d59fb87-486a-4168-b4b4-665fc404989f' },
  ],
  ['Interrupt', { kind: 'turn', interrupted: true }],
  ['Stop', { kind: 'turn', answer: 'Nothing more is scripted.' }],
  ['SessionEnd-other', { kind: 'end' }],
]

for (const [name, step] of steps) {
  test(`Codex's ${name} is read`, () => {
    assert.deepEqual(stepIn('codex', codex(name)), step)
  })
}

test('every document of Codex names the agent, its session and its folder', () => {
  for (const name of namesOf('codex')) {
    for (const { agent, session, cwd } of readDocument('codex', codex(name), {})) {
      assert.deepEqual([agent, session, cwd], ['codex', codex(name).session_id, codex(name).cwd], name)
    }
  }
})

test('output that looks like an exit code is not one', () => {
  for (const tool_response of ['Exit code: 3', '{"output":"","metadata":{"exit_code":3}}']) {
    const step = stepIn('codex', codex('PostToolUse-Bash', { tool_response }))
    assert.equal(step.kind === 'tool' && step.exitCode, undefined)
  }
})

test('a patch names each file that it adds, changes, deletes or moves to', () => {
  const command =
    '*** Begin Patch\n*** Add File: a b.ts\n+*** Delete File: no\n+\u2028*** Delete File: no\n*** Update File: c.ts\n*** Move to: d.ts\n*** Delete File: e.ts\n*** End Patch'
  const step = stepIn('codex', codex('PostToolUse-apply_patch', { tool_input: { command } }))
  assert.deepEqual(step.kind === 'tool' && step.files, ['a b.ts', 'c.ts', 'd.ts', 'e.ts'])
})

test('the end of a subagent names its rollout, which is not that of the session', () => {
  const seen = seenIn('codex', codex('SubagentStop-in-subagent'))
  assert.ok(seen.step.kind === 'subagent')
  assert.match(seen.step.transcript ?? '', /rollout-.*01a21014-ee31/)
  for (const name of ['SubagentStop-in-subagent', 'PostToolUse-Bash-in-subagent']) {
    assert.equal(seenIn('codex', codex(name)).transcript, undefined)
  }
  assert.match(seenIn('codex', codex('Stop')).transcript ?? '', /rollout-/)
})

test('a prompt to a subagent of Codex is not a prompt of the user', () => {
  assert.deepEqual(readDocument('codex', codex('UserPromptSubmit', { agent_id: 'a1', agent_type: 'default' }), {}), [])
})
