import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { turnFields } from '../../src/nouns/run/turn-fields.ts'
import type { Seen, Step, TranscriptTurn } from '../../src/recorder/agents/seen.ts'
import { aboutTurn, turnAbout } from '../../src/recorder/agents/turn-about.ts'
import type { Memo } from '../../src/recorder/memo.ts'
import { step } from '../../src/recorder/step.ts'
import { factsAt, start } from './facts.ts'

/** A report, the id of the turn in it, and how many lines of the transcript are there by then. */
type Reported = [step: Step, turn: string, written: number]

const prompt = (text: string): Step => ({ kind: 'prompt', text })
const tool = (name: string): Step => ({ kind: 'tool', tool: name })
const stop = (answer: string): Step => ({ kind: 'turn', answer })

/** The calls of a session after these reports, a second apart. */
function callsOf(transcript: TranscriptTurn[], reports: Reported[]) {
  let memo: Memo = {}
  return reports.flatMap(([one, turn, written], at) => {
    const seen: Seen = { agent: 'claude-code', session: 's', cwd: '/work', step: one, turn }
    const all = { turns: transcript.slice(0, written) }
    const told = aboutTurn(all, { turn, ...memo.draft, at: memo.draft?.startedAt ?? start }) ?? all
    const after = step(memo, seen, factsAt(at, { reported: told }))
    memo = after.memo
    return after.calls
  })
}

/** The turns that a session says after these reports: prompt, answer and tools. */
function turnsOf(transcript: TranscriptTurn[], reports: Reported[]) {
  return callsOf(transcript, reports).flatMap(({ operation, input }) => {
    const { prompt, answer, tools = [] } = input as { prompt?: string; answer?: string; tools?: { name: string }[] }
    return operation === 'appendTurn' && !input.open ? [[prompt, answer, tools.map(({ name }) => name).join()]] : []
  })
}

/** A turn of a transcript, of which each is written when it has ended. */
const told = (prompt: string, answer: string, at: number, id?: string): TranscriptTurn => ({
  ...{ prompt, answer, startedAt: start + at, at: start + at, isEnded: true },
  ...(id !== undefined && { id }),
})

test('messages that wait have their own answers, one after the other', () => {
  const transcript = [told('One', '1', 0, 'p1'), told('Two', '2', 5_000, 'p2'), told('Three', '3', 6_000, 'p3')]
  const turns = turnsOf(transcript, [
    [prompt('One'), 'p1', 0],
    [prompt('Two'), 'p1', 0],
    [prompt('Three'), 'p1', 0],
    [tool('Read'), 'p1', 0],
    [stop('1'), 'p1', 1],
    [tool('Edit'), 'p2', 1],
    [stop('2'), 'p2', 2],
    [tool('Bash'), 'p3', 2],
    [stop('3'), 'p3', 3],
  ])
  assert.deepEqual(turns, [
    ['One', '1', 'Read'],
    ['Two', '2', 'Edit'],
    ['Three', '3', 'Bash'],
  ])
})

test('messages that the agent takes up at once have their own answers, and one that still waits has none yet', () => {
  const transcript = [told('One', '1', 0, 'p1'), told('Two', '2', 2_000), told('Three', '3', 3_000)]
  const reports: Reported[] = [
    [prompt('One'), 'p1', 0],
    [prompt('Two'), 'p1', 0],
    [prompt('Three'), 'p1', 0],
  ]
  assert.deepEqual(turnsOf(transcript, [...reports, [stop('3'), 'p1', 3]]), [
    ['One', '1', ''],
    ['Two', '2', ''],
    ['Three', '3', ''],
  ])
  assert.deepEqual(turnsOf(transcript, [...reports, [stop('2'), 'p1', 2]]), [
    ['One', '1', ''],
    ['Two', '2', ''],
  ])
})

/** The files, tokens and trees of the turns in which two files are written, the second after a message was sent. */
function workOf(transcript: TranscriptTurn[], restored: string[] = []) {
  let memo: Memo = {}
  const steps: [Step, string[], string[]][] = [
    [prompt('One'), [], []],
    [tool('Write'), [], []],
    [prompt('Two'), ['one'], ['one']],
    [tool('Write'), [], []],
    [stop('It is done.'), ['two'], ['one', 'two']],
  ]
  const calls = steps.flatMap(([one, files, own], at) => {
    const seen: Seen = { agent: 'claude-code', session: 's', cwd: '/work', step: one, turn: 'p1' }
    const turns = at < 4 ? [] : transcript
    const usage = { inputTokens: turns.reduce((sum, { usage }) => sum + (usage?.inputTokens ?? 0), 0), outputTokens: 1 }
    const all = { turns, ...(usage.inputTokens > 0 && { usage }) }
    const known = aboutTurn(all, { turn: 'p1', ...memo.draft, at: memo.draft?.startedAt ?? start }) ?? all
    const [from, to] = at < 4 ? ['t0', 't1'] : ['t1', 't2']
    const sides = { root: '/work', objects: '/objects', base: 't0', before: from, after: to }
    const diff = { ...sides, written: files, putBack: [], restored: [], own, shared: [], sharedSince: [] }
    const work = { files: files.map((path) => ({ path })), commits: [], own, diff, ...(at === 4 && { restored }) }
    const after = step(memo, seen, factsAt(at, { reported: known, work }))
    memo = after.memo
    return after.calls
  })
  const turns = calls.flatMap(({ operation, input }) => {
    const { files = [], usage } = input as { files?: { path: string }[]; usage?: { inputTokens: number } }
    return operation === 'appendTurn' && !input.open ? [[files.map(({ path }) => path).join(), usage?.inputTokens]] : []
  })
  const trees = memo.owed?.map((owed) => 'before' in owed && [owed.n, owed.before, owed.after, owed.written.join()])
  return { turns, own: memo.own, trees }
}

const used = (inputTokens: number) => ({ usage: { inputTokens, outputTokens: 0 } })

test('a turn whose message the agent takes up at once has its own files and tokens', () => {
  const transcript = [
    { ...told('One', '', 0, 'p1'), ...used(10) },
    { ...told('Two', 'It is done.', 2_000), ...used(20) },
  ]
  assert.deepEqual(workOf(transcript), {
    turns: [
      ['one', 10],
      ['two', 20],
    ],
    own: ['one', 'two'],
    trees: [
      [1, 't0', 't1', 'one'],
      [2, 't1', 't2', 'two'],
    ],
  })
})

test('a turn that ends while a message waits has all files, and its diffs begin with its first part', () => {
  const transcript = [{ ...told('One', 'It is done.', 0, 'p1'), ...used(10) }]
  assert.deepEqual(workOf(transcript), {
    turns: [['one,two', 10]],
    own: ['one', 'two'],
    trees: [[1, 't0', 't2', 'one,two']],
  })
})

test('a turn does not list a file that its second part put back as it was', () => {
  const transcript = [{ ...told('One', 'It is done.', 0, 'p1'), ...used(10) }]
  assert.deepEqual(workOf(transcript, ['one']).turns, [['two', 10]])
})

test('a masked prompt is that of a turn whose prompt has all the rest of it', () => {
  const turns = [told('Deploy with hunter2 to a, then with hunter3', '1', 0), told('Stop', '2', 1_000)]
  const answerTo = (prompt: string) => turnAbout(turns, { prompt, at: start })?.answer
  for (const prompt of [
    'Deploy with [masked] to a, then with [masked]',
    '[masked] to a, then with hunter3',
    '[masked]',
  ])
    assert.equal(answerTo(prompt), '1', prompt)
  for (const prompt of ['[masked] to b', 'Deploy with [masked] to a, not with [masked]', 'Stop [masked]'])
    assert.equal(answerTo(prompt), undefined, prompt)
})

test('a turn of two long parts is one that the ledger takes', () => {
  const transcript = [told('One', '1', 400_000, 'p1'), told('Two', '2', 500_000, 'p2')]
  const ran = (part: string): Reported[] =>
    Array.from({ length: 120 }, (_, at) => {
      const id = `${part} ${at}`
      const step: Step = { kind: 'tool', tool: id, id, command: `echo ${id}` }
      return [[step, 'p1', 0] as Reported, [{ kind: 'subagent', name: id }, 'p1', 0] as Reported]
    }).flat()
  const calls = callsOf(transcript, [
    [prompt('One'), 'p1', 0],
    ...ran('first'),
    [prompt('Two'), 'p1', 0],
    ...ran('second'),
    [stop('1'), 'p1', 1],
  ])
  const {
    n,
    open: _,
    ...turn
  } = calls.findLast(({ operation, input }) => operation === 'appendTurn' && !input.open)?.input ?? {}
  const { tools, commands, agents } = z.object(turnFields).parse(turn)
  assert.deepEqual([n, tools?.length, commands?.length, agents?.length], [1, 100, 200, 100])
  assert.equal(commands?.at(-1)?.command, 'echo second 119')
})
