import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { readDocument } from '../../src/recorder/agents/read.ts'
import type { Step } from '../../src/recorder/agents/seen.ts'
import { documentOf, namesOf, seenIn, stepIn } from './documents.ts'

const gemini = (name: string, changes: JsonFields = {}) => documentOf('gemini', name, changes)
const command = 'echo out; echo err >&2; node src/app.js'

const steps: [string, Step][] = [
  ['SessionStart-startup', { kind: 'start', source: 'startup' }],
  ['SessionStart-resume', { kind: 'start', source: 'resume' }],
  ['BeforeAgent', { kind: 'prompt', text: 'Add a greeting to the demo\nand run its tests.' }],
  ['BeforeTool-run_shell_command', { kind: 'begin', tool: 'run_shell_command', target: command }],
  ['BeforeTool-write_file', { kind: 'begin', tool: 'write_file', target: '/home/demo/demo/src/greet.js' }],
  ['AfterTool-run_shell_command', { kind: 'tool', tool: 'run_shell_command', command, exitCode: 0 }],
  ['AfterTool-replace', { kind: 'tool', tool: 'replace', files: ['/home/demo/demo/src/app.js'] }],
  ['AfterTool-write_file', { kind: 'tool', tool: 'write_file', files: ['/home/demo/demo/src/greet.js'] }],
  ['AfterTool-read_file', { kind: 'tool', tool: 'read_file' }],
  ['AfterTool-invoke_agent', { kind: 'tool', tool: 'invoke_agent' }],
  [
    'AfterTool-write_todos',
    {
      kind: 'tool',
      tool: 'write_todos',
      plan: [
        { text: 'Read the code', status: 'in_progress' },
        { text: 'Greet', status: 'pending' },
      ],
    },
  ],
  // The document's answer has all texts of the turn, so the last one comes from the transcript.
  ['AfterAgent', { kind: 'turn' }],
  ['SessionEnd-exit', { kind: 'end' }],
]

for (const [name, step] of steps) {
  test(`Gemini CLI's ${name} is read`, () => {
    assert.deepEqual(stepIn('gemini', gemini(name)), step)
  })
}

test('what Gemini CLI tells its model after an empty response is no prompt', () => {
  const words = 'You successfully executed a tool but returned an empty response. Please analyze the tool output'
  assert.deepEqual(readDocument('gemini', gemini('BeforeAgent', { prompt: `[System: ${words}]` }), {}), [])
})

test('every document of Gemini CLI names the agent, its session and its folder', () => {
  for (const name of namesOf('gemini')) {
    for (const { agent, session, cwd } of readDocument('gemini', gemini(name), {})) {
      assert.deepEqual([agent, session, cwd], ['gemini', gemini(name).session_id, gemini(name).cwd], name)
    }
  }
})

const printed = (llmContent: string) =>
  stepIn('gemini', gemini('AfterTool-run_shell_command', { tool_response: { llmContent, returnDisplay: '' } }))

test('the exit code of a command of Gemini CLI follows its output', () => {
  const exitCodeOf = (text: string) => {
    const step = printed(text)
    return step.kind === 'tool' ? step.exitCode : 'none'
  }
  const end = 'Process Group PGID: 16498\n</untrusted_context>'
  assert.equal(exitCodeOf(`<untrusted_context>\nOutput: broken\nExit Code: 3\n${end}`), 3)
  assert.equal(exitCodeOf(`<untrusted_context>\nOutput: a\nExit Code: 0\nExit Code: 3\n${end}`), 3)
  assert.equal(exitCodeOf(`<untrusted_context>\nOutput: Exit Code: 4\nbut well\n${end}`), 0)
  assert.equal(exitCodeOf(`<untrusted_context>\nOutput: \nSignal: 9\n${end}`), undefined)
  assert.equal(exitCodeOf('Command was cancelled by user before it could complete.'), undefined)
  const failed = printed(`<untrusted_context>\nOutput: broken\nExit Code: 3\n${end}`)
  assert.equal(failed.kind === 'tool' && failed.failed, true)
})

test('a command that Gemini CLI blocked did not run', () => {
  const texts = [
    'Command injection detected: command substitution syntax found.',
    'Command was cancelled by user before it could start.',
  ]
  for (const text of texts) {
    assert.deepEqual(printed(text), { kind: 'tool', tool: 'run_shell_command', command, refused: true })
  }
})

test('a PreCompress event, which precedes each model call, reports nothing', () => {
  assert.deepEqual(readDocument('gemini', gemini('PreCompress'), {}), [])
})

test('Gemini CLI is recognised by its session id if nothing else identifies it', () => {
  const document = gemini('AfterAgent', { transcript_path: undefined })
  const env = { GEMINI_SESSION_ID: document.session_id as string }
  assert.equal(seenIn('claude', document, env).agent, 'gemini')
  assert.deepEqual(readDocument('claude', document, {}), [])
})

test('without a transcript, the answer is everything said in the turn', () => {
  const document = gemini('AfterAgent', { transcript_path: undefined, prompt_response: 'I read.\nDone.' })
  const { step } = seenIn('gemini', document, { GEMINI_SESSION_ID: String(document.session_id) })
  assert.deepEqual(step, { kind: 'turn', answer: 'I read.\nDone.' })
})
