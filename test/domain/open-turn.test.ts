import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Seen, Step } from '../../src/recorder/agents/seen.ts'
import type { Facts } from '../../src/recorder/facts.ts'
import type { Memo } from '../../src/recorder/memo.ts'
import { shownTurn, unfinished } from '../../src/recorder/open.ts'
import { step } from '../../src/recorder/step.ts'
import { factsAt } from './facts.ts'

type Report = Step | [step: Step, facts: Partial<Facts>]

/** The calls about turns after these steps of one turn of the agent, a second apart, and what is then shown of it. */
function after(...reports: Report[]) {
  let memo: Memo = {}
  const calls = reports.flatMap((report, at) => {
    const [one, facts] = Array.isArray(report) ? report : [report, {}]
    const seen: Seen = { agent: 'claude-code', session: 's', cwd: '/work', model: 'm-1', turn: 'p1', step: one }
    const next = step(memo, seen, factsAt(at, facts))
    memo = next.memo
    return next.calls
  })
  const turn = unfinished(memo)
  return {
    calls: calls.flatMap(({ operation, input: { open, n, prompt } }) =>
      operation === 'appendTurn' ? [`${open ? 'open' : 'close'} ${n} ${prompt ?? ''}`.trimEnd()] : [],
    ),
    shown: turn && shownTurn(turn, (files) => files),
  }
}

const prompt = (text: string): Step => ({ kind: 'prompt', text })
const ran = (command: string, exitCode = 0): Step => ({ kind: 'tool', tool: 'Bash', command, exitCode })
const wrote = (file: string): Step => ({ kind: 'tool', tool: 'Write', files: [file] })
const stop: Step = { kind: 'turn', answer: 'Done.' }
/** A message waits if there is a transcript to tell its answer from that of the turn before. */
const sent = (text: string): Report => [prompt(text), { reported: { turns: [] } }]

test('a prompt opens its turn, and the next one closes it first', () => {
  assert.deepEqual(after(prompt('One'), stop, prompt('Two')).calls, ['open 1 One', 'close 1 One', 'open 2 Two'])
  const interrupted = after(prompt('One'), ran('sleep 9'), prompt('Two'))
  assert.deepEqual(interrupted.calls, ['open 1 One', 'close 1 One', 'open 2 Two'])
  assert.deepEqual(after(prompt('One'), { kind: 'end' }).calls, ['open 1 One'], 'its end may still come')
  assert.deepEqual(after(prompt('One'), stop, { kind: 'end' }, ran('ls')).calls, ['open 1 One', 'close 1 One'])
  assert.deepEqual(after(ran('ls')).calls, [], 'nobody asked for anything')
})

test('a prompt that is not to be recorded opens its turn without the text', () => {
  const rules = { answers: true, prompts: false, changes: true }
  const { calls, shown } = after([prompt('One'), { rules }], [ran('ls'), { rules }])
  assert.deepEqual(calls, ['open 1'])
  assert.deepEqual(
    shown?.commands?.map(({ command }) => command),
    ['ls'],
  )
})

test('while messages wait, the turn before them is open, with all that is done', () => {
  const { calls, shown } = after(prompt('One'), ran('npm test', 1), sent('Two'), wrote('/work/a.ts'))
  assert.deepEqual(calls, ['open 1 One'])
  assert.deepEqual([shown?.n, shown?.files], [1, [{ path: '/work/a.ts' }]])
  assert.deepEqual(
    shown?.commands?.map(({ exitCode }) => exitCode),
    [1],
  )
  const turns = [{ id: 'p1', prompt: 'One', startedAt: 0, at: 0, isEnded: true }]
  const ended = after(prompt('One'), sent('Two'), [stop, { reported: { turns } }], wrote('/work/a.ts'))
  assert.deepEqual(ended.calls, ['open 1 One', 'close 1 One', 'open 2 Two'])
  assert.deepEqual([ended.shown?.n, ended.shown?.files], [2, [{ path: '/work/a.ts' }]])
})

test('what is shown has the last commands, the plan, tools and the model, and nothing once the turn is closed', () => {
  const plan = [{ text: 'button', status: 'pending' as const }]
  const commands = Array.from({ length: 30 }, (_, n) => ran(`echo ${n}`))
  const { shown } = after(prompt('One'), { kind: 'tool', tool: 'TodoWrite', plan }, ...commands)
  assert.deepEqual(
    shown?.commands?.map(({ command }) => command),
    commands.slice(-20).map((one) => 'command' in one && one.command),
  )
  assert.deepEqual([shown?.plan, shown?.model], [plan, 'm-1'])
  assert.deepEqual(shown?.tools, [
    { name: 'TodoWrite', count: 1 },
    { name: 'Bash', count: 30 },
  ])
  assert.equal(after(prompt('One'), ran('ls'), stop).shown, undefined)
  assert.equal(after(prompt('One'), stop, ran('ls')).shown, undefined, 'nobody opened what the agent goes on with')
})
