import { z } from 'zod'
import { actor, rowId, text, time, timeInput } from '../../../contract/field.ts'
import { personPattern } from '../../../contract/person.ts'
import { shownOf, stored } from '../../../contract/stored.ts'
import { run } from '../fields.ts'
import { reasons, states } from './rule.ts'

export const reason = z
  .enum(reasons)
  .describe('failing: a check fails. failed: the run failed. vanished: its lease expired')

export const state = z
  .enum(states)
  .describe(
    'open: it waits for somebody. put-off: until a moment, when it is open again. resolved: somebody dealt with it',
  )

const callerOrPerson = new RegExp(`^me$|${personPattern.source}`)

export const attentionInput = {
  assignee: text(200, 1)
    .regex(callerOrPerson, 'must be me, or a name and an email address: Ada Example <ada@example.com>')
    .nullable()
    .optional()
    .describe('Who looks at it: "Ada Example <ada@example.com>", or me for the person of the key'),
  until: timeInput.nullable().optional().describe('Put off until this moment. Null: open again'),
  resolved: z.boolean().optional().describe('Whether somebody dealt with it; false: open again'),
  note: text(2000, 1).nullable().optional().describe('What others should know'),
}

const summary = run.pick({
  ...{ title: true, agent: true, author: true, status: true, verdict: true, why: true, failure: true, exitCode: true },
  ...{ createdAt: true, endedAt: true },
})

const nullableText = z.string().nullable()

/** The columns of `attention` that responses show. Rows, lists and erasure follow from this list. */
export const attentionFields = {
  reason: stored('word', reason, 'Why somebody should look at it'),
  check: stored('text', nullableText, 'The newest check that fails', { column: 'check_name' }),
  state: stored('word', state, 'Whether somebody dealt with it'),
  since: stored('time', time, 'Since when it has needed attention', { column: 'since_at' }),
  specId: stored('word', nullableText, 'The spec of its run'),
  branch: stored('text', nullableText, 'The branch of its run'),
  assignee: stored('text', nullableText, 'Who looks at it'),
  until: stored('time', time.nullable(), 'Until when it is put off', { column: 'put_off_until' }),
  resolvedAt: stored('time', time.nullable(), 'When somebody dealt with it'),
  resolvedBy: stored('actor', actor.nullable(), 'Who dealt with it'),
  note: stored('text', nullableText, 'What others should know'),
  updatedAt: stored('time', time, 'When it last changed'),
}

/** Those, and the columns that no response shows. */
export const rowFields = {
  ...attentionFields,
  authorPerson: stored('word', nullableText, 'A hash of the address of the author of its run'),
  assigneePerson: stored('word', nullableText, 'A hash of the address of the assignee'),
  hidden: stored('integer', z.int(), '1 while the agent of its run is at work, of which no event tells'),
}

/** A run that somebody should look at. */
export const attention = z
  .object({
    id: rowId.describe('The number of the run'),
    project: z.string(),
    runId: z.string(),
    ...shownOf(attentionFields),
    run: summary.describe('The run in short'),
  })
  .meta({ id: 'Attention' })
export type Attention = z.infer<typeof attention>

export const groupings = ['spec', 'branch', 'check', 'person'] as const
export type Grouping = (typeof groupings)[number]

/** Runs that are probably one problem. */
export const attentionGroup = z
  .object({
    project: z.string(),
    by: z.enum(['spec', 'branch', 'run', 'check', 'reason', 'person']).describe('What its runs have in common'),
    key: z.string().nullable().describe('The spec, branch, run, check, reason or person; Null: nobody'),
    count: z.int(),
    reason: reason.describe('The most urgent reason'),
    since: time.describe('Since when the newest has needed attention'),
    runIds: z.array(z.string()).describe('All of its runs, the newest first'),
    attention: z.array(attention).describe('The newest three'),
  })
  .meta({ id: 'AttentionGroup' })
export type AttentionGroup = z.infer<typeof attentionGroup>
