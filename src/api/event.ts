import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { rowId, time } from './field.ts'

const nouns = ['run', 'spec', 'check', 'feature', 'project', 'key'] as const
const deeds = ['created', 'updated', 'deleted'] as const
const eventTypes = nouns.flatMap((noun) => deeds.map((deed) => `${noun}.${deed}` as const))
export const eventType = z.enum(eventTypes)
export type EventType = z.infer<typeof eventType>

/** The nouns whose events only an admin of the whole server sees. */
export const adminNouns = ['key', 'project'] as const

export const event = z
  .object({
    seq: rowId,
    project: z.string().nullable(),
    type: eventType,
    subject: z.string(),
    subjectId: rowId,
    actor: z.object({
      kind: z.enum(['key', 'local', 'system']),
      keyId: rowId.optional(),
      name: z.string().optional(),
    }),
    at: time,
    changes: z.record(z.string(), z.tuple([z.unknown(), z.unknown()])).describe('Field → [before, after]'),
  })
  .meta({ id: 'Event' })
export type Event = z.infer<typeof event>

/** Field → [before, after]. */
export type Changes = Record<string, [unknown, unknown]>

/** The changes between two states of a resource; none when they are equal. */
export function differences<State extends object>(before: State, after: State): Changes {
  const moved: Changes = {}
  for (const field of Object.keys(after) as (keyof State & string)[]) {
    if (!isDeepStrictEqual(before[field], after[field])) moved[field] = [before[field], after[field]]
  }
  return moved
}

/** The changes of a resource that was made: all that it says. */
export function appeared(state: object): Changes {
  const told = Object.entries(state).filter(([, value]) => value !== null && value !== undefined && !isEmpty(value))
  return Object.fromEntries(told.map(([field, value]) => [field, [null, value]]))
}

const isEmpty = (value: unknown) => value instanceof Object && Object.keys(value).length === 0

/** The changes of a resource that is gone. */
export function vanished(state: object): Changes {
  return Object.fromEntries(Object.entries(appeared(state)).map(([field, [, value]]) => [field, [value, null]]))
}
