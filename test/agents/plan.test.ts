import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { type KeptItem, planAfter } from '../../src/recorder/agents/tools.ts'
import { documentOf, stepIn } from './documents.ts'

/** The plan after these tool calls, one after the other. */
const planned = (named: string, ...documents: JsonFields[]): KeptItem[] =>
  documents.reduce<KeptItem[]>((plan, document) => {
    const step = stepIn(named, document)
    return step.kind === 'tool' ? planAfter(plan, step) : plan
  }, [])

const claude = (name: string, changes: JsonFields = {}) => documentOf('claude', `PostToolUse-${name}`, changes)
const second = claude('TaskCreate', { tool_use_id: 't2', tool_response: { task: { id: '2', subject: 'Greet' } } })

test('Claude Code changes its plan item by item: it adds an item, changes its status, or deletes it', () => {
  const begun = [claude('TaskCreate'), second, claude('TaskUpdate-in_progress')]
  assert.deepEqual(planned('claude', ...begun), [
    { id: '1', text: 'scripted', status: 'in_progress' },
    { id: '2', text: 'Greet', status: 'pending' },
  ])
  const ended = [claude('TaskUpdate-completed'), claude('TaskUpdate-deleted')]
  assert.deepEqual(planned('claude', ...begun, ...ended), [{ id: '1', text: 'scripted', status: 'completed' }])
})

test('an update of an unknown task, or a failed one, does not change the plan', () => {
  assert.deepEqual(planned('claude', claude('TaskUpdate-completed')), [])
  const failed = { hook_event_name: 'PostToolUseFailure', error: 'Task not found' }
  assert.deepEqual(planned('claude', claude('TaskCreate'), claude('TaskUpdate-completed', failed)), [
    { id: '1', text: 'scripted', status: 'pending' },
  ])
})

test('a new plan replaces the one before, without its cancelled items', () => {
  const todos = [
    { description: 'Read the code', status: 'completed' },
    { description: 'Greet', status: 'cancelled' },
  ]
  assert.deepEqual(
    planned(
      'gemini',
      documentOf('gemini', 'AfterTool-write_todos'),
      documentOf('gemini', 'AfterTool-write_todos', { tool_input: { todos } }),
      documentOf('gemini', 'AfterTool-read_file'),
    ),
    [{ text: 'Read the code', status: 'completed' }],
  )
})

test('of a very long plan, what a turn takes of it is kept', () => {
  const todos = Array.from({ length: 200_000 }, (_, n) => ({ content: `step ${n}`, status: 'pending' }))
  const plan = planned('claude', claude('TaskCreate', { tool_name: 'TodoWrite', tool_input: { todos } }))
  assert.deepEqual([plan.length, plan.at(-1)?.text], [100, 'step 99'])
  const created = Array.from({ length: 1_500 }, (_, n) => ({ task: { id: `${n}`, subject: 'a' } }))
  const tasks = created.map((tool_response) => claude('TaskCreate', { tool_response }))
  assert.equal(planned('claude', ...tasks).length, 1_000)
})
