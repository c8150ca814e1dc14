import assert from 'node:assert/strict'
import { test } from 'node:test'
import { routes } from '../../src/operations/routes.ts'
import type { SeenUsage, Step } from '../../src/recorder/agents/seen.ts'
import { cut, draftAfter, isEmpty, newDraft, turnOf, withStep } from '../../src/recorder/agents/turn.ts'
import { usageBetween } from '../../src/recorder/agents/usage.ts'

const at = Date.parse('2026-01-31T09:30:00.000Z')
const draftOf = (...steps: Step[]) =>
  steps.reduce((draft, step, n) => withStep(draft, step, at + n * 1000), newDraft(at))
const tool = (tool: string, more: Partial<Step & { kind: 'tool' }> = {}): Step => ({ kind: 'tool', tool, ...more })

test('a turn is the sum of its steps', () => {
  const draft = draftOf(
    { kind: 'prompt', text: 'Fix it' },
    { kind: 'begin', tool: 'Bash' },
    tool('Bash', { id: 'a', command: 'make', durationMs: 7 }),
    tool('Bash', { id: 'b', command: 'rm x', refused: true, failed: true }),
    tool('Edit', { files: ['a', 'b'] }),
    tool('Edit', { files: ['a'], failed: true }),
    tool('TodoWrite', { plan: [{ text: 'One', status: 'completed' }] }),
    { kind: 'subagent', id: 's', name: 'Explore' },
    { kind: 'compact' },
  )
  const told = { commands: { a: { exitCode: 2 } }, subagents: [{ id: 's', tokens: 9 }] }
  assert.deepEqual(draft.files, ['a', 'b'])
  assert.deepEqual(turnOf(draft, { at: at + 60_000, answer: 'Done', model: 'm' }, told), {
    startedAt: '2026-01-31T09:30:00.000Z',
    endedAt: '2026-01-31T09:31:00.000Z',
    prompt: 'Fix it',
    answer: 'Done',
    model: 'm',
    tools: [
      { name: 'Bash', count: 2, failed: 1, refused: 1 },
      { name: 'Edit', count: 2, failed: 1 },
      { name: 'TodoWrite', count: 1 },
    ],
    commands: [{ command: 'make', durationMs: 7, exitCode: 2, at: '2026-01-31T09:30:02.000Z' }],
    plan: [{ text: 'One', status: 'completed' }],
    agents: [{ name: 'Explore', tokens: 9 }],
    compactions: 1,
  })
})

test('a plan continues from turn to turn, and a turn that changes it contains it', () => {
  const made = draftOf(
    tool('TaskCreate', { task: { id: '1', text: 'One' } }),
    tool('TaskCreate', { task: { id: '2', text: 'Two' } }),
  )
  const next = withStep(newDraft(at, made.plan), tool('TaskUpdate', { task: { id: '1', status: 'completed' } }), at)
  assert.deepEqual(turnOf(next, { at }).plan, [
    { text: 'One', status: 'completed' },
    { text: 'Two', status: 'pending' },
  ])
  assert.equal(turnOf(withStep(newDraft(at, made.plan), tool('Read'), at), { at }).plan, undefined)
})

test('a compaction between two turns counts for the next one, and a compaction in a turn only for that one', () => {
  const left = draftOf({ kind: 'compact' })
  assert.equal(turnOf(withStep(draftAfter(left, at), { kind: 'prompt', text: 'Go' }, at), { at }).compactions, 1)
  assert.equal(draftAfter(undefined, at).compactions, undefined)
})

test('only work makes a turn', () => {
  assert.ok(isEmpty(draftOf({ kind: 'start' }, { kind: 'begin', tool: 'Bash' }, { kind: 'wait' }, { kind: 'compact' })))
  for (const step of [tool('Read'), { kind: 'prompt', text: '' }, { kind: 'subagent', name: 'x' }] as Step[])
    assert.ok(!isEmpty(draftOf(step)))
})

test('a turn fits the limits of the ledger, whatever the agent says', () => {
  const long = `${'€'.repeat(30_000)}\0\ud800`
  const many = <T>(make: (n: number) => T) => Array.from({ length: 700 }, (_, n) => make(n))
  const draft = draftOf(
    { kind: 'prompt', text: long },
    ...many((n) => tool(`${long}${n}`, { command: long, files: [long, `${n}`] })),
    ...many((n): Step => ({ kind: 'subagent', name: `${long}${n}` })),
    tool('Bash', { command: ' \0 ' }),
    tool('TodoWrite', { plan: many((n) => ({ text: n === 0 ? '' : long, status: 'pending' })) }),
  )
  const failure = { code: 'X', message: long }
  const turn = turnOf(draft, {
    at: at - 5_000,
    answer: long,
    failure,
    usage: { model: long, inputTokens: 1, outputTokens: 0 },
  })
  const { error } = routes.appendTurn.input.safeParse({ runId: 'RUN-001', n: 1, ...turn })
  assert.equal(error, undefined)
  assert.equal(turn.endedAt, turn.startedAt, 'the clock went back')
  assert.deepEqual([turn.tools?.length, turn.commands?.length, turn.plan?.length], [100, 199, 99])
  assert.equal(cut('a€', 3), 'a')
  assert.equal(cut('a€', 4), 'a€')
  assert.equal(cut(' \n', 9), undefined)
})

const used = (inputTokens: number, outputTokens: number, more: Partial<SeenUsage> = {}): SeenUsage => ({
  inputTokens,
  outputTokens,
  ...more,
})

test('usage is the difference between two totals', () => {
  assert.deepEqual(usageBetween(undefined, used(5, 1)), used(5, 1))
  assert.equal(usageBetween(undefined, used(0, 0)), undefined)
  assert.equal(usageBetween(used(5, 1), used(5, 1)), undefined)
  assert.deepEqual(usageBetween(used(5, 1, { cacheReadTokens: 2 }), used(9, 1, { cacheReadTokens: 4, model: 'm' })), {
    ...used(4, 0, { cacheReadTokens: 2, model: 'm' }),
  })
  // Totals may start again.
  assert.deepEqual(usageBetween(used(50, 10), used(9, 12)), used(0, 2))
  const cost = (costUsd: number, costSource: 'reported' | 'estimated' = 'reported') => ({ costUsd, costSource })
  assert.deepEqual(usageBetween(used(1, 1, cost(1)), used(2, 2, cost(3))), used(1, 1, cost(2)))
  assert.deepEqual(usageBetween(used(1, 1, cost(1, 'estimated')), used(2, 2, cost(3))), used(1, 1), 'not of one kind')
  assert.deepEqual(usageBetween(used(1, 1), used(2, 2, cost(3))), used(1, 1))
  assert.equal(usageBetween(used(1, 1, cost(0.096)), used(2, 2, cost(0.09615875)))?.costUsd, 0.00015875)
})
