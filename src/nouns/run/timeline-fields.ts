import { z } from 'zod'
import { time } from '../../contract/field.ts'
import { event } from '../../log/fields.ts'
import { check } from './check/fields.ts'
import { run } from './fields.ts'
import { turn } from './turn-fields.ts'

const turnSummary = turn
  .pick({ n: true, startedAt: true, endedAt: true, model: true, failure: true, interrupted: true })
  .extend({ title: z.string().nullable().describe('The first line of its prompt') })
  .meta({ id: 'TurnSummary' })
const attempt = run.pick({ runId: true, status: true, verdict: true, attempt: true }).meta({ id: 'Attempt' })

/**
 * An entry in the history of a run: a change, consecutive appends, a turn, a check, or another attempt at the same
 * task. In place of entries that a long history leaves out is their number.
 */
export const timelineEntry = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('event'), at: time, event }).meta({ id: 'TimelineEvent' }),
    z
      .object({ kind: z.literal('appends'), at: time, until: time, appends: z.int().describe('How many there were') })
      .meta({ id: 'TimelineAppends' }),
    z.object({ kind: z.literal('turn'), at: time, turn: turnSummary }).meta({ id: 'TimelineTurn' }),
    z.object({ kind: z.literal('check'), at: time, check }).meta({ id: 'TimelineCheck' }),
    z.object({ kind: z.literal('attempt'), at: time, run: attempt }).meta({ id: 'TimelineAttempt' }),
    z
      .object({
        kind: z.literal('omitted'),
        at: time.describe('The time of the next entry of that kind'),
        of: z.enum(['event', 'turn', 'check', 'attempt']).describe('The kind of the entries that are left out'),
        count: z.int().describe('How many there are'),
      })
      .meta({ id: 'TimelineOmitted' }),
  ])
  .meta({ id: 'TimelineEntry' })
export type TimelineEntry = z.infer<typeof timelineEntry>
