import type { EventType } from '../../log/fields.ts'

const deeds = ['created', 'updated', 'deleted'] as const
const typesOf = <Noun extends string>(...nouns: Noun[]) =>
  nouns.flatMap((noun) => deeds.map((deed) => `${noun}.${deed}` as const))

/** The types of the events that everyone sees. */
export const openTypes: EventType[] = typesOf('run', 'turn', 'spec', 'check', 'feature')
/** Those that admins see. */
export const allTypes: EventType[] = [...openTypes, ...typesOf('key', 'project', 'webhook'), 'erasure.created']
