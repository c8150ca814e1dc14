import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { readDocument } from '../../src/recorder/agents/read.ts'
import type { Step } from '../../src/recorder/agents/seen.ts'
import { documentOf, namesOf, seenIn, stepIn } from './documents.ts'

const claude = (name: string, changes: JsonFields = {}) => documentOf('claude', name, changes)

const steps: [string, Step][] = [
  ['SessionStart-startup', { kind: 'start', source: 'startup' }],
  ['SessionStart-resume', { kind: 'start', source: 'resume' }],
  ['UserPromptSubmit', { kind: 'prompt', text: 'Write one.' }],
  [
    'PreToolUse-Bash',
    { kind: 'begin', tool: 'Bash', id: 'toolu_38babbc456d1dd45ceed742a', target: 'curl -s https://shop.example/' },
  ],

  ['PreToolUse-Agent', { kind: 'begin', tool: 'Agent', id: 'toolu_d7d4bd492742d43b09237adc', target: 'write_for_me' }],
  ['PermissionRequest-Bash', { kind: 'wait', tool: 'Bash', target: 'curl -s https://shop.example/' }],
  ['Notification-permission_prompt', { kind: 'wait' }],
  ['PreCompact', { kind: 'compact' }],
  [
    'PostToolUse-Bash',
    {
      kind: 'tool',
      tool: 'Bash',
      id: 'toolu_1d3ba05f8b2655e2fde575b2',
      command: 'echo out; echo err >&2; node src/app.js',
      exitCode: 0,
      durationMs: 48,
    },
  ],
  [
    'PostToolUseFailure-Bash',
    {
      kind: 'tool',
      tool: 'Bash',
      id: 'toolu_8f9851441de8fbef04e5549e',
      command: 'echo broken >&2; exit 3',
      exitCode: 3,
      durationMs: 6,
      failed: true,
    },
  ],
  [
    'PostToolUseFailure-Bash-in-subagent',
    {
      kind: 'tool',
      tool: 'Bash',
      id: 'toolu_1f3d7b290bf32a7cfd9724b7',
      command: 'exit 4',
      exitCode: 4,
      durationMs: 64,
      failed: true,
      by: 'general-purpose',
    },
  ],
  [
    'PostToolUse-Edit',
    {
      kind: 'tool',
      tool: 'Edit',
      id: 'toolu_0526a5fcd9468fbb1e59667d',
      files: ['/home/demo/demo/src/app.js'],
      durationMs: 6,
    },
  ],
  ['PostToolUse-Read', { kind: 'tool', tool: 'Read', id: 'toolu_06091ddd0fbfc5592e5e4e02', durationMs: 7 }],
  [
    // The tool records a command, but did not run one.
    'PostToolUse-mcp__conduct__record_check',
    { kind: 'tool', tool: 'mcp__conduct__record_check', id: 'toolu_26364f88ba04e622de9d80a3', durationMs: 19 },
  ],
  [
    'SubagentStop-in-subagent',
    {
      kind: 'subagent',
      name: 'general-purpose',
      id: 'a51908475caa32762',
      transcript:
        '/home/demo/.claude/projects/-home-demo-demo/fde347c6-dbbf-4692-bad3-130c7f5735ef/subagents/agent-a51908475caa32762.jsonl',
    },
  ],
  ['Stop', { kind: 'turn', answer: 'Wrote one.' }],
  [
    'StopFailure-rate_limit',
    {
      kind: 'turn',
      failure: {
        code: 'RATE_LIMIT',
        message: 'API Error: Request rejected (429) · This request would exceed the rate limit of your organization',
      },
    },
  ],
  [
    'StopFailure-authentication_failed',
    { kind: 'turn', failure: { code: 'AUTHENTICATION_FAILED', message: 'Invalid API key · Fix external API key' } },
  ],
  ['SessionEnd-other', { kind: 'end' }],
]

for (const [name, step] of steps) {
  test(`Claude Code's ${name} is read`, () => {
    assert.deepEqual(stepIn('claude', claude(name)), step)
  })
}

test('a subagent of Claude Code that fails, such as one that summarises, ends no turn', () => {
  assert.deepEqual(readDocument('claude', claude('StopFailure-in-subagent'), {}), [])
})

test('every document of Claude Code names the agent, its session and its folder', () => {
  for (const name of namesOf('claude')) {
    for (const { agent, session, cwd } of readDocument('claude', claude(name), {})) {
      assert.deepEqual([agent, session, cwd], ['claude-code', claude(name).session_id, claude(name).cwd], name)
    }
  }
})

test('text that no person wrote is not a prompt', () => {
  assert.deepEqual(readDocument('claude', claude('UserPromptSubmit-task-notification'), {}), [])
  assert.deepEqual(readDocument('claude', claude('UserPromptSubmit', { prompt: ' \n' }), {}), [])
  assert.equal(stepIn('claude', claude('UserPromptSubmit', { prompt: 'Say <task-notification>' })).kind, 'prompt')
})

test('a turn continues while background tasks run', () => {
  const { background_tasks } = claude('SubagentStop-in-subagent')
  assert.deepEqual(stepIn('claude', claude('Stop', { background_tasks })), {
    kind: 'turn',
    answer: 'Wrote one.',
    goesOn: true,
  })
})

test('a command that runs in the background or was interrupted has no exit code', () => {
  for (const more of [{ interrupted: true }, { backgroundTaskId: 'b1' }]) {
    const step = stepIn('claude', claude('PostToolUse-Bash', { tool_response: { stdout: '', ...more } }))
    assert.ok(step.kind === 'tool' && step.command !== undefined)
    assert.equal(step.exitCode, undefined)
  }
})

test('a tool that asks the user waits for the answer', () => {
  const document = claude('PreToolUse-Bash', { tool_name: 'AskUserQuestion', tool_input: { questions: [] } })
  assert.deepEqual(stepIn('claude', document), { kind: 'wait', tool: 'AskUserQuestion' })
})

test('a failed edit changes no file', () => {
  const failed = claude('PostToolUse-Edit', { hook_event_name: 'PostToolUseFailure', error: 'no match' })
  const step = stepIn('claude', failed)
  assert.deepEqual(step.kind === 'tool' && [step.failed, step.files], [true, undefined])
})

const batches: [string, { tool: string; id: string; command?: string; refused?: true }][] = [
  ['Write-not-granted', { tool: 'Write', id: 'ID', refused: true }],
  ['Bash-not-granted', { tool: 'Bash', id: 'ID', command: 'rm -rf src', refused: true }],
  ['Bash-dont-ask', { tool: 'Bash', id: 'ID', command: 'rm -rf src', refused: true }],
  ['Edit-unfit', { tool: 'Edit', id: 'ID' }],
]

for (const [name, tool] of batches) {
  test(`a batch reports a tool that did not run: ${name}`, () => {
    const step = stepIn('claude', claude(`PostToolBatch-${name}`))
    const [call] = claude(`PostToolBatch-${name}`).tool_calls as JsonFields[]
    assert.deepEqual(step, { kind: 'tool', ...tool, id: call?.tool_use_id, failed: true })
  })
}

test('a command whose input was rejected did not run', () => {
  const [call] = claude('PostToolBatch-Bash-dont-ask').tool_calls as JsonFields[]
  const tool_response = '<tool_use_error>Blocked: sleep 60</tool_use_error>'
  const step = stepIn('claude', claude('PostToolBatch', { tool_calls: [{ ...call, tool_response }] }))
  assert.deepEqual(step, { kind: 'tool', tool: 'Bash', id: call?.tool_use_id, failed: true })
})

test('a batch reports nothing about tools that ran', () => {
  for (const name of ['PostToolBatch', 'PostToolBatch-in-subagent', 'PostToolBatch-Bash-exit-127']) {
    assert.deepEqual(readDocument('claude', claude(name), {}), [])
  }
})

test('a batch may report several tools, each with the same id as in its own event', () => {
  const [call] = claude('PostToolBatch-Bash-dont-ask').tool_calls as JsonFields[]
  const tool_calls = [call, { ...call, tool_use_id: 'toolu_1d3ba05f8b2655e2fde575b2' }]
  const seen = readDocument('claude', claude('PostToolBatch', { tool_calls }), {})
  assert.equal(seen.length, 2)
  assert.equal(seen[1]?.id, seenIn('claude', claude('PostToolUse-Bash')).id)
})

test('steps of a subagent are marked as its own, and do not name the transcript of the session', () => {
  const seen = seenIn('claude', claude('PostToolUse-Write-in-subagent'))
  assert.deepEqual(seen.subagent, { id: 'a51908475caa32762', name: 'general-purpose' })
  assert.equal(seen.transcript, undefined)
  assert.ok(seenIn('claude', claude('Stop')).transcript)
})

test('the end of a subagent without a type, which summarises the conversation, is ignored', () => {
  assert.deepEqual(readDocument('claude', claude('SubagentStop-in-subagent', { agent_type: '' }), {}), [])
})

test('equal reports have the same id, and different ones have different ids', () => {
  const id = (name: string, changes: JsonFields = {}) => seenIn('claude', claude(name, changes)).id
  assert.equal(id('Stop'), id('Stop'))
  assert.notEqual(id('Stop'), id('Stop', { last_assistant_message: 'And two.' }))
  assert.notEqual(id('PreToolUse-Bash'), id('PostToolUse-Bash'))
  assert.equal(id('SessionStart-startup'), undefined)
})

test('an answer and a prompt are cut to the limits of the ledger', () => {
  const long = 'é'.repeat(50_000)
  const turn = stepIn('claude', claude('Stop', { last_assistant_message: long }))
  assert.equal(turn.kind === 'turn' && turn.answer?.length, 16_000)
  const prompt = stepIn('claude', claude('UserPromptSubmit', { prompt: `a\0b\ud800${long}` }))
  assert.equal(prompt.kind === 'prompt' && prompt.text.slice(0, 3), 'ab\ufffd')
})
