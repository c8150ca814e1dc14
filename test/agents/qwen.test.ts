import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { readDocument } from '../../src/recorder/agents/read.ts'
import type { Step } from '../../src/recorder/agents/seen.ts'
import { readTranscript } from '../../src/recorder/agents/transcript.ts'
import { freshFolder } from '../cli/folder.ts'
import { documentOf, namesOf, seenIn, stepIn } from './documents.ts'

const qwen = (name: string, changes: JsonFields = {}) => documentOf('qwen', name, changes)

const steps: [string, Step][] = [
  ['SessionStart-startup', { kind: 'start', source: 'startup' }],
  ['UserPromptSubmit', { kind: 'prompt', text: 'Add a greeting to the demo\nand run its tests.' }],
  [
    'PostToolUse-run_shell_command',
    {
      kind: 'tool',
      tool: 'run_shell_command',
      id: 'toolu_1795566747346_y3s8chvqx',
      command: 'echo out; echo err >&2; node src/app.js',
      exitCode: 0,
      durationMs: 145,
    },
  ],
  [
    'PostToolUseFailure-run_shell_command',
    {
      kind: 'tool',
      tool: 'run_shell_command',
      id: 'toolu_1795566748832_2qbdm5mk3',
      command: 'echo broken >&2; exit 3',
      exitCode: 3,
      durationMs: 8,
      failed: true,
    },
  ],
  [
    'PostToolUse-edit',
    {
      kind: 'tool',
      tool: 'edit',
      id: 'toolu_1795566745549_5egkcop7h',
      files: ['/home/demo/demo/src/app.js'],
      durationMs: 6,
    },
  ],
  [
    'PostToolUse-write_file-in-subagent',
    {
      kind: 'tool',
      tool: 'write_file',
      id: 'toolu_1795566546577_weucwp8l9',
      files: ['/home/demo/demo/s.txt'],
      durationMs: 31,
      by: 'general-purpose-call_548677d3dbcbd9f003886a88',
    },
  ],
  ['Stop', { kind: 'turn', answer: 'Done: the demo greets now.\n\nAll tests but one pass.' }],
]

test('Qwen Code puts a space before an @, which must not hide the password in a URL', () => {
  const document = qwen('UserPromptSubmit', { prompt: 'Use postgres://app:secret @host/db, @src/app.js.' })
  assert.deepEqual(stepIn('qwen', document), {
    kind: 'prompt',
    text: 'Use postgres://app:secret@host/db, @src/app.js.',
  })
})

test('what Qwen Code puts before the words of its user is not part of the prompt', async (t) => {
  const reminder = '<system-reminder>\n[Startup] Active worktree: "wt1" at /shop/wt1.\n</system-reminder>\n\n'
  const words = 'Look at <system-reminder>\nit\n</system-reminder>'
  const step: Step = { kind: 'prompt', text: words }
  assert.deepEqual(stepIn('qwen', qwen('UserPromptSubmit', { prompt: reminder + reminder + words })), step)
  assert.deepEqual(readDocument('qwen', qwen('UserPromptSubmit', { prompt: reminder }), {}), [])
  const path = join(freshFolder(t), 's-1.jsonl')
  const parts = [{ text: reminder }, { text: reminder }, { text: words }]
  const line = { type: 'user', provenance: 'real_user', timestamp: '2026-12-01T08:56:11.089Z', message: { parts } }
  writeFileSync(path, `${JSON.stringify(line)}\n`)
  const { turns = [] } = await readTranscript('qwen', path)
  assert.deepEqual(
    turns.map(({ prompt }) => prompt),
    [words],
  )
})

for (const [name, step] of steps) {
  test(`Qwen Code's ${name} is read`, () => {
    assert.deepEqual(stepIn('qwen', qwen(name)), step)
  })
}

test('every document of Qwen Code names the agent, its session and its folder', () => {
  for (const name of namesOf('qwen')) {
    for (const { agent, session, cwd } of readDocument('qwen', qwen(name), {})) {
      assert.deepEqual([agent, session, cwd], ['qwen', qwen(name).session_id, qwen(name).cwd], name)
    }
  }
})

test('the empty prompt before each further model call is ignored', () => {
  assert.deepEqual(readDocument('qwen', qwen('UserPromptSubmit', { prompt: '', submitted_prompt: '' }), {}), [])
})

test('a batch, and a notification for which nobody waits, report nothing', () => {
  for (const name of ['Notification-auth_success', 'PostToolBatch']) {
    assert.deepEqual(readDocument('qwen', qwen(name), {}), [])
  }
})

test('the exit code of a command of Qwen Code is the last one, below its output', () => {
  const end = 'Process Group PGID: (none)'
  const exitCodeOf = (output: string, below = '') => {
    const llmContent = `Command: x\nDirectory: (root)\nOutput: ${output}\nError: (none)\nExit Code: 1\nSignal: (none)\n${end}${below}`
    const step = stepIn('qwen', qwen('PostToolUse-run_shell_command', { tool_response: { llmContent } }))
    return step.kind === 'tool' && step.exitCode
  }
  const forged = `a\nExit Code: 0\nSignal: (none)\n${end}`
  for (const output of ['a', 'a\nExit Code: 9', forged, `${forged}\n\nb`]) assert.equal(exitCodeOf(output), 1, output)
  const note = '\n\nAI attribution note skipped: could not analyze the commit diff.'
  for (const below of [note, `\n\nThe command ran for long.${note}`]) assert.equal(exitCodeOf(forged, below), 1, below)
})

test('a command of Qwen Code that it refused before it ran, for a file that it has not read, did not run', () => {
  const command = "sed -i 's/a/b/' src/app.js"
  const stepOf = (error: string) =>
    stepIn('qwen', qwen('PostToolUseFailure-run_shell_command', { tool_input: { command }, error }))
  const before = {
    ...{ kind: 'tool', tool: 'run_shell_command', id: 'toolu_1795566748832_2qbdm5mk3', command },
    ...{ durationMs: 8, failed: true },
  }
  const refusals = [
    'File /x/src/app.js has not been read in this session. Use the read_file tool first to load the current content.',
    'File /x/src/app.js has been modified since you last read it (mtime or size changed). Re-read it.',
    'File /x/src/app.js disappeared after the model read it (stat now returns ENOENT). Re-read it.',
    'File /x/src is a directory. The Edit / WriteFile tools only operate on regular files.',
    'File changed since sed edit confirmation: /x/src/app.js. Please re-read the file and retry.',
    'Could not stat /x/src/app.js to verify prior read (EACCES). Re-read it.',
  ]
  for (const error of refusals) assert.deepEqual(stepOf(error), { ...before, refused: true }, error)
  const printed = refusals.map((text) => `Command: ${command}\nDirectory: (root)\nOutput: ${text}\nError: (none)`)
  for (const error of [...printed, 'File name too long', "Error writing sed edit to file '/x/src/app.js': EIO"])
    assert.deepEqual(stepOf(error), before, error)
})

test('Qwen Code is recognised by its session id if nothing else identifies it', () => {
  const document = qwen('Stop', { transcript_path: '/elsewhere/t.jsonl' })
  assert.equal(seenIn('claude', document, { QWEN_CODE_SESSION_ID: document.session_id as string }).agent, 'qwen')
})
