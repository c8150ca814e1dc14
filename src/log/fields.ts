import { z } from 'zod'
import { eventTypes } from '../contract/event-type.ts'
import { rowId, time } from '../contract/field.ts'
import { placeOf, placePattern } from './event-id.ts'

/** An upgrade derived the verdict of a run by a new rule. Webhooks do not send it. */
export const rejudged = 'run.rejudged'
export const eventType = z.enum([...eventTypes, rejudged])
export type EventType = z.infer<typeof eventType>

/** The kinds of things that events are about. */
export const eventSubject = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}(?:\/[1-9]\d{0,6})?$/,
    'must be an id, or a run and the number of one of its turns, like RUN-007/3',
  )
  .describe('The id of what changed; for a turn, run and number: RUN-007/3')

const placeRule = 'must be the seq or the id of an event, like 41 or 41-9f3c1a2b0d4e'

/** A place in the log, as a seq or as the id of the event there. */
export const place = z.union([z.int().min(0), z.string().regex(placePattern, placeRule)], placeRule).transform(placeOf)

const eventActor = z
  .object({
    kind: z.enum(['key', 'local', 'system']),
    keyId: rowId.optional(),
    name: z.string().optional(),
  })
  .meta({ id: 'EventActor' })

export const event = z
  .object({
    seq: rowId.describe('Its position in the log'),
    id: z.string().describe('Identifies it permanently: its seq, and a digest that no other event with this seq has'),
    project: z.string().nullable(),
    type: eventType,
    subject: z.string(),
    subjectId: rowId,
    actor: eventActor,
    at: time,
    imported: z
      .literal(true)
      .optional()
      .describe('It records something that happened at another time, which the caller set'),
    changes: z.record(z.string(), z.tuple([z.unknown(), z.unknown()])).describe('Field → [before, after]'),
  })
  .meta({ id: 'Event' })
export type Event = z.infer<typeof event>
