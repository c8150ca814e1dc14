import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { openCodePlugin } from '../../src/recorder/agents/opencode/plugin.ts'
import { readDocument } from '../../src/recorder/agents/read.ts'
import type { Seen, Step } from '../../src/recorder/agents/seen.ts'
import { freshFolder } from '../cli/folder.ts'
import { seenIn } from './documents.ts'

/** A process with the plugin, which passes it these events and ends. */
const host = `
import { readFileSync } from 'node:fs'
const { Conduct } = await import(process.argv[2])
const hooks = await Conduct({ directory: process.argv[3] })
for (const line of readFileSync(process.argv[4], 'utf8').trim().split('\\n')) {
  const { hook, event, input, output } = JSON.parse(line)
  const isCommand = hook === 'tool.execute.before'
  await (hook === 'event' ? hooks.event({ event }) : hooks[hook](input, output))
  // What was told when a command begins.
  if (isCommand) process.stdout.write(readFileSync(process.env.TOLD, 'utf8'))
}
if (process.argv[5] === 'at once') process.exit(0)
if (process.argv[5] === 'by a signal') {
  process.kill(process.pid, 'SIGINT')
  setTimeout(() => process.exit(0), 60_000)
}
`

/**
 * The documents that the plugin passes to `conduct hook opencode` for the events in a file, where the tools with these ids
 * take a second longer to tell.
 */
function toldBy(t: TestContext, events: string, end = 'when all is told', slowIds: string[] = []) {
  const folder = freshFolder(t)
  const [plugin, script, told] = ['conduct.mjs', 'host.mjs', 'told.jsonl'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  writeFileSync(plugin, openCodePlugin)
  writeFileSync(script, host)
  const slow = slowIds.map((id) => `case $told in *'"tool"'*'"${id}"'*) sleep 1;; esac\n`).join('')
  const ledger = `#!/bin/sh\ntold=$(cat)\n${slow}printf "%s\\n" "$told" >> "$TOLD"\n`
  writeFileSync(join(folder, 'conduct-ledger'), ledger, { mode: 0o755 })
  const PATH = `${folder}:${process.env.PATH}`
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script, plugin, folder, events, end], {
    env: { PATH, TOLD: told, HOME: folder },
    encoding: 'utf8',
  })
  assert.equal(signal ?? status, end === 'by a signal' ? 'SIGINT' : 0, stderr)
  const lines = existsSync(told) ? readFileSync(told, 'utf8').trim().split('\n') : []
  const atCommand = stdout.split('\n').filter(Boolean).length
  return { documents: lines.map((line) => JSON.parse(line) as JsonFields), stderr, atCommand }
}

const eventsOf = (name: string) => fileURLToPath(new URL(`documents/opencode-${name}-events.jsonl`, import.meta.url))
const seenOf = (documents: JsonFields[]): Seen[] =>
  documents.flatMap((document) => readDocument('opencode', document, {}))

test('a session of OpenCode is reported from its first prompt to its end', (t) => {
  const { documents, stderr } = toldBy(t, eventsOf('basic'))
  const seen = seenOf(documents)
  const steps = seen.map(({ step }) => step)
  assert.equal(stderr, '')
  assert.equal(seen.find(({ step }) => step.kind === 'prompt')?.version, '1.18.33')
  assert.deepEqual(
    steps.map(({ kind }) => kind),
    ['start', 'prompt', ...Array.from({ length: 6 }, () => ['begin', 'tool']).flat(), 'turn', 'end'],
  )
  assert.deepEqual(steps[1], { kind: 'prompt', text: 'Add a greeting to the demo\nand run its tests.' })
  assert.deepEqual(steps.at(-2), {
    kind: 'turn',
    answer: 'Done: the demo greets now.\n\nAll tests but one pass.',
    usage: {
      model: 'scripted-model',
      inputTokens: 39_835,
      outputTokens: 264,
      cacheReadTokens: 32_900,
      cacheWriteTokens: 0,
      costUsd: 0.034635,
      costSource: 'reported',
    },
  })
})

test("OpenCode's tools report files, commands with exit codes, and the plan", (t) => {
  const tools = seenOf(toldBy(t, eventsOf('basic')).documents).flatMap(({ step }) =>
    step.kind === 'tool' ? [step] : [],
  )
  assert.deepEqual(
    tools.map(({ tool, files, command, exitCode, plan }) => [tool, files ?? command ?? plan?.length, exitCode]),
    [
      ['todowrite', 2, undefined],
      ['read', undefined, undefined],
      ['edit', ['/home/demo/demo/src/app.js'], undefined],
      ['write', ['/home/demo/demo/src/greet.js'], undefined],
      ['bash', 'echo out; echo err >&2; node src/app.js', 0],
      ['bash', 'echo broken >&2; exit 3', 3],
    ],
  )
  assert.ok(tools.every(({ durationMs, id }) => durationMs !== undefined && id !== undefined))
})

test('steps and usage of a subagent of OpenCode belong to the session that it works for', (t) => {
  const seen = seenOf(toldBy(t, eventsOf('subagent')).documents)
  assert.equal(new Set(seen.map(({ session }) => session)).size, 1)
  const subagent = { id: 'ses_decb0d715ffe2Lbu9rnTcC7wG7', name: 'general' }
  const inside = seen.filter((one) => one.subagent)
  assert.deepEqual(
    inside.map(({ step }) => step.kind),
    ['begin', 'tool', 'begin', 'tool', 'subagent'],
  )
  assert.deepEqual(inside[0]?.subagent, subagent)
  const turn = seen.map(({ step }) => step).find((step) => step.kind === 'turn')
  assert.deepEqual([turn?.answer, turn?.usage?.inputTokens, turn?.usage?.outputTokens], ['They did it.', 2_469, 67])
  assert.equal(seen.filter(({ step }) => step.kind === 'prompt').length, 1)
})

test('a fork of OpenCode has nothing of what it copies', (t) => {
  const events = join(freshFolder(t), 'events.jsonl')
  const lines = readFileSync(eventsOf('basic'), 'utf8').trim().split('\n')
  const ofParts = lines.filter((line) => line.includes('"message.part.updated"'))
  const copied = ofParts.map((line) => line.replaceAll('"prt_', '"prt_copy_').replaceAll('"call_', '"call_copy_'))
  const prompted = lines.findIndex((line) => line.includes('"chat.message"'))
  writeFileSync(events, [...lines.slice(0, prompted), ...copied, ...lines.slice(prompted)].join('\n'))
  assert.deepEqual(
    seenOf(toldBy(t, events).documents).map(({ step }) => step),
    seenOf(toldBy(t, eventsOf('basic')).documents).map(({ step }) => step),
  )
})

/** What was seen, without repetitions: the document under way when OpenCode ends is told twice. */
const onceOf = (documents: JsonFields[]): Seen[] => [
  ...new Map(seenOf(documents).map((one) => [JSON.stringify(one), one])).values(),
]

test('documents that wait when OpenCode ends at once are sent', (t) => {
  const { documents } = toldBy(t, eventsOf('subagent'), 'at once')
  const kinds = onceOf(documents).map(({ step }) => step.kind)
  assert.deepEqual(kinds.filter((kind) => kind === 'turn' || kind === 'end').sort(), ['end', 'turn'])
})

test('Ctrl-C ends OpenCode as usual, and waiting documents are sent', (t) => {
  const { documents } = toldBy(t, eventsOf('basic'), 'by a signal')
  assert.equal(onceOf(documents).at(-1)?.step.kind, 'end')
})

test('a command whose document is under way when OpenCode ends comes before the end of its turn', (t) => {
  const tools = seenOf(toldBy(t, eventsOf('basic')).documents).flatMap(({ step }) => (step.kind === 'tool' ? step : []))
  const last = tools.at(-1)?.id ?? ''
  const seen = onceOf(toldBy(t, eventsOf('basic'), 'by a signal', [last]).documents)
  assert.deepEqual(
    seen.slice(-3).map(({ step }) => (step.kind === 'tool' ? step.id : step.kind)),
    [last, 'turn', 'end'],
  )
})

test('a turn during which OpenCode is ended is interrupted, with its usage', (t) => {
  const events = join(freshFolder(t), 'events.jsonl')
  const lines = readFileSync(eventsOf('basic'), 'utf8').trim().split('\n')
  const isEnd = (line: string) => line.includes('"session.idle"')
  writeFileSync(events, lines.filter((line) => !isEnd(line)).join('\n'))
  const [turn, end] = onceOf(toldBy(t, events, 'by a signal').documents).slice(-2)
  assert.deepEqual([turn?.step.kind, end?.step.kind], ['turn', 'end'])
  assert.ok(turn?.step.kind === 'turn' && turn.step.interrupted)
  assert.equal(turn.step.usage?.outputTokens, 264)
})

test('a command begins after its hook has seen the working tree', (t) => {
  const folder = freshFolder(t)
  const events = join(folder, 'events.jsonl')
  const before = { tool: 'bash', sessionID: 'ses_1', callID: 'call_1' }
  const running = { type: 'tool', sessionID: 'ses_1', callID: 'call_1', tool: 'bash', state: { status: 'running' } }
  const lines = [
    { hook: 'tool.execute.before', input: before, output: { args: { command: 'true' } } },
    { hook: 'event', event: { type: 'message.part.updated', properties: { part: running } } },
  ]
  writeFileSync(events, lines.map((line) => JSON.stringify(line)).join('\n'))
  const { documents, atCommand } = toldBy(t, events)
  assert.deepEqual(
    documents.map(({ event, id }) => [event, id]),
    [['begin', 'call_1']],
  )
  assert.equal(atCommand, 1, 'it was waited for')
})

test('without Conduct the plugin does nothing and prints nothing', (t) => {
  const folder = freshFolder(t)
  writeFileSync(join(folder, 'conduct.mjs'), openCodePlugin)
  writeFileSync(join(folder, 'host.mjs'), host)
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(folder, 'host.mjs'), join(folder, 'conduct.mjs'), folder, eventsOf('basic')],
    { env: { PATH: '/nowhere', HOME: folder }, encoding: 'utf8' },
  )
  assert.deepEqual([status, stdout, stderr], [0, '', ''])
})

const base = { agent: 'opencode', session: 'ses_1', cwd: '/shop' }
const more: [string, JsonFields, Step][] = [
  [
    'an error ends a turn',
    {
      event: 'turn',
      id: 'm1',
      answer: '',
      error: { name: 'ContextOverflowError', data: { message: 'prompt is too long: 250000 tokens > 200000 maximum' } },
    },
    {
      kind: 'turn',
      failure: { code: 'CONTEXT_OVERFLOW_ERROR', message: 'prompt is too long: 250000 tokens > 200000 maximum' },
    },
  ],
  [
    'its user interrupts a turn',
    { event: 'turn', id: 'm1', error: { name: 'MessageAbortedError', data: { message: 'Aborted' } } },
    { kind: 'turn', interrupted: true },
  ],
  [
    'it waits for a permission',
    { event: 'wait', tool: 'bash', patterns: ['rm *'] },
    { kind: 'wait', tool: 'bash', target: 'rm *' },
  ],
  ['it compacts a conversation', { event: 'compact' }, { kind: 'compact' }],
]

for (const [name, document, step] of more) {
  test(`OpenCode: ${name}`, () => {
    const seen = seenIn('opencode', { ...base, ...document })
    assert.deepEqual([seen.agent, seen.session, seen.step], ['opencode', 'ses_1', step])
  })
}

test('only the quotes that `opencode run` puts around a prompt are removed', () => {
  const prompt = (text: string) => {
    const { step } = seenIn('opencode', { ...base, event: 'prompt', id: 'm1', text })
    return step.kind === 'prompt' && step.text
  }
  assert.equal(prompt('"Say \\"hello\\" to a\\b"'), 'Say "hello" to a\\b')
  assert.equal(prompt('"a" and "b"'), '"a" and "b"')
  assert.equal(prompt('Say "hello"'), 'Say "hello"')
  assert.equal(prompt(`"${'\\'.repeat(100_001)}`).toString().length, 18_000)
})

test('a model without a known price has no cost in OpenCode', () => {
  const steps = [{ tokens: { input: 10, output: 2, reasoning: 1, cache: { read: 5, write: 3 } }, cost: 0 }]
  const { step } = seenIn('opencode', { ...base, event: 'turn', id: 'm1', steps, model: 'a-new-model' })
  assert.deepEqual(step.kind === 'turn' && step.usage, {
    model: 'a-new-model',
    inputTokens: 18,
    outputTokens: 3,
    cacheReadTokens: 5,
    cacheWriteTokens: 3,
  })
})

test('a step whose model does not say what it used has no usage in OpenCode', () => {
  const nothing = { tokens: { input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } }, cost: 0 }
  const some = { tokens: { input: 10, output: 2, reasoning: 0, cache: { read: 0, write: 0 } }, cost: 0.5 }
  const usageOf = (...steps: JsonFields[]) => {
    const { step } = seenIn('opencode', { ...base, event: 'turn', id: 'm1', steps, model: 'a-new-model' })
    return step.kind === 'turn' ? step.usage : undefined
  }
  assert.equal(usageOf(nothing, nothing), undefined)
  assert.deepEqual(usageOf(nothing, some), usageOf(some))
})
