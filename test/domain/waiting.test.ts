import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Seen, Step, ToldTurn } from '../../src/agents/seen.ts'
import { aboutTurn } from '../../src/agents/told-turn.ts'
import type { Memo } from '../../src/recorder/memo.ts'
import { step } from '../../src/recorder/step.ts'
import { factsAt, start } from './facts.ts'

/** A report, the id of the turn in it, and how many lines of the transcript are there by then. */
type Reported = [step: Step, turn: string, written: number]

const prompt = (text: string): Step => ({ kind: 'prompt', text })
const tool = (name: string): Step => ({ kind: 'tool', tool: name })
const stop = (answer: string): Step => ({ kind: 'turn', answer })

/** The turns that a session says after these reports, a second apart: prompt, answer and tools. */
function turnsOf(transcript: ToldTurn[], reports: Reported[]) {
  let memo: Memo = {}
  const calls = reports.flatMap(([one, turn, written], at) => {
    const seen: Seen = { agent: 'claude-code', session: 's', cwd: '/work', step: one, turn }
    const all = { turns: transcript.slice(0, written) }
    const told = aboutTurn(all, { turn, ...memo.draft, at: memo.draft?.startedAt ?? start }) ?? all
    const after = step(memo, seen, factsAt(at, { told }))
    memo = after.memo
    return after.calls
  })
  return calls.flatMap(({ operation, input }) => {
    const { prompt, answer, tools = [] } = input as { prompt?: string; answer?: string; tools?: { name: string }[] }
    return operation === 'appendTurn' ? [[prompt, answer, tools.map(({ name }) => name).join()]] : []
  })
}

/** A turn of a transcript, of which each is written when it has ended. */
const told = (prompt: string, answer: string, at: number, id?: string): ToldTurn => ({
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
