import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { withUnheard } from '../../src/capture/hook/unheard.ts'
import { droidMoments } from '../../src/recorder/agents/droid/transcript.ts'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { budget } from '../../src/recorder/agents/lines.ts'
import { readDocument } from '../../src/recorder/agents/read.ts'
import type { Step } from '../../src/recorder/agents/seen.ts'
import { readTranscript } from '../../src/recorder/agents/transcript.ts'
import { turnOf } from '../../src/recorder/agents/turn.ts'
import { freshFolder } from '../cli/folder.ts'
import { documentOf, namesOf, seenIn, stepIn, transcriptOf } from './documents.ts'

const droid = (name: string, changes: JsonFields = {}) => documentOf('droid', name, changes)

const steps: [string, Step][] = [
  ['SessionStart', { kind: 'start', source: 'startup' }],
  ['PreToolUse-Execute', { kind: 'begin', tool: 'Execute', target: 'echo out; exit 3' }],
  ['PostToolUse-Create', { kind: 'tool', tool: 'Create', files: ['/home/demo/greetings/a.txt'] }],
  ['PostToolUse-Execute', { kind: 'tool', tool: 'Execute', command: 'npm test', exitCode: 0 }],
  ['Stop', { kind: 'turn' }],
  ['SessionEnd', { kind: 'end' }],
]

for (const [name, step] of steps) {
  test(`Droid's ${name} is read`, () => {
    assert.deepEqual(stepIn('droid', droid(name)), step)
  })
}

test("Droid is recognised by its transcript, whatever the hook's name", () => {
  for (const named of ['droid', 'claude']) {
    for (const name of namesOf('droid')) assert.equal(seenIn(named, droid(name)).agent, 'droid')
  }
})

test('Droid waits when it says that it needs a permission', () => {
  const notified = (message: string) =>
    readDocument('droid', droid('Stop', { hook_event_name: 'Notification', message }), {}).map(({ step }) => step)
  assert.deepEqual(notified('Droid needs your permission to use Execute'), [{ kind: 'wait' }])
  assert.deepEqual(notified('Droid is waiting for your input'), [])
})

const prompt = 'Write a file.\nThen run.'
const unheardId = 'toolu_3668df192e91467b9231722d6b4a60f9'

test('the transcript of Droid gives prompt, answer and failed tools, and the file beside it the tokens', async () => {
  const { usage, turns = [], answer } = await readTranscript('droid', transcriptOf('droid'))
  assert.deepEqual(usage, {
    model: 'custom:scripted-0',
    inputTokens: 466,
    outputTokens: 24,
    cacheReadTokens: 410,
    cacheWriteTokens: 15,
  })
  assert.deepEqual([turns.length, turns[0]?.prompt, answer, turns[0]?.isEnded], [1, prompt, 'It is done.', true])
  const failed = { tool: 'Execute', id: unheardId, failed: true, exitCode: 3 }
  assert.deepEqual(turns[0]?.unheard, [{ ...failed, command: 'echo out; exit 3', at: 1_795_879_930_725 }])
})

test('a failed command of Droid, of which no hook reports, is in the turn', async () => {
  const told = await readTranscript('droid', transcriptOf('droid'))
  const at = told.turns?.[0]?.startedAt ?? 0
  const draft = {
    startedAt: at,
    at,
    prompt,
    tools: [{ name: 'Execute', count: 1 }],
    files: [],
    commands: [],
    agents: [],
  }
  const { tools, commands } = turnOf(draft, { at }, told)
  assert.deepEqual(tools, [{ name: 'Execute', count: 2, failed: 1 }])
  assert.deepEqual(
    commands?.map(({ command, exitCode }) => [command, exitCode]),
    [['echo out; exit 3', 3]],
  )
})

test('the transcript of Droid shows an error of the API, and a turn that a signal ended', async (t) => {
  const { failure } = await readTranscript('droid', transcriptOf('droid-error'))
  assert.equal(failure?.code, 'MODEL_REQUEST_REJECTED')
  assert.match(failure?.message ?? '', /The scripted request is not valid/)
  const again = join(freshFolder(t), 'again.jsonl')
  copyFileSync(transcriptOf('droid-error'), again)
  appendFileSync(again, '\n{"type":"agent_turn_outcome","reason":"timeout"}\n')
  const failures = (await Array.fromAsync(droidMoments(again, [], () => {}, budget()))).flatMap(
    ({ step }) => (step?.kind === 'turn' && step.failure) || [],
  )
  assert.deepEqual(
    failures.map(({ code, message }) => [code, /scripted/.test(message)]),
    [
      ['MODEL_REQUEST_REJECTED', true],
      ['TIMEOUT', false],
    ],
  )
  const { turns } = await readTranscript('droid', transcriptOf('droid-interrupt'))
  assert.deepEqual([turns?.[0]?.prompt, turns?.[0]?.isEnded], ['Write, then be interrupted.', false])
})

test('the prompt of droid exec and failed commands come from its transcript, once each', (t) => {
  const seenOf = (name: string, transcript_path: string) => readDocument('droid', droid(name, { transcript_path }), {})
  const path = transcriptOf('droid')
  for (const name of ['PreToolUse-Create', 'PostToolUse-Execute', 'Stop', 'SessionEnd']) {
    const [first, second, third, ...more] = withUnheard(seenOf(name, path))
    assert.deepEqual([first?.step, first?.id], [{ kind: 'prompt', text: prompt }, `prompt ${first?.turn}`])
    const failed = { tool: 'Execute', command: 'echo out; exit 3', exitCode: 3, failed: true }
    assert.deepEqual(second?.step, { kind: 'tool', id: unheardId, ...failed })
    assert.equal(second?.id, `tool ${unheardId}`)
    assert.deepEqual([third, ...more], seenOf(name, path))
  }
  assert.equal(withUnheard(seenOf('SessionStart', path)).length, 1)
  const own = join(freshFolder(t), 's.jsonl')
  copyFileSync(path, own)
  // Hooks report the prompts of other sessions.
  for (const settings of [undefined, '{ "tags": [] }', 'no JSON', '{ "tags": [{ "name": "exec" }] }']) {
    if (settings !== undefined) writeFileSync(own.replace('.jsonl', '.settings.json'), settings)
    assert.equal(withUnheard(seenOf('Stop', own)).length, settings?.includes('exec') ? 3 : 2)
  }
  assert.equal(withUnheard(seenOf('Stop', join(own, 'gone'))).length, 1)
})
