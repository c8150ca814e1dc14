import { z } from 'zod'
import { check } from './check.ts'
import { event } from './event.ts'
import { time } from './field.ts'
import { run } from './run.ts'
import { turn } from './turn.ts'

/**
 * An entry in the history of a run: a change, consecutive appends, a turn, a check, or another attempt at the same
 * task.
 */
export const timelineEntry = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('event'), at: time, event }),
  z.object({ kind: z.literal('appends'), at: time, until: time, appends: z.int().describe('How many there were') }),
  z.object({
    kind: z.literal('turn'),
    at: time,
    turn: turn
      .pick({ n: true, startedAt: true, endedAt: true, model: true, failure: true, interrupted: true })
      .extend({ title: z.string().nullable().describe('The first line of its prompt') }),
  }),
  z.object({ kind: z.literal('check'), at: time, check }),
  z.object({
    kind: z.literal('attempt'),
    at: time,
    run: run.pick({ runId: true, status: true, verdict: true, attempt: true }),
  }),
])
export type TimelineEntry = z.infer<typeof timelineEntry>
