/** The nouns whose events everyone sees. */
const openNouns = ['run', 'turn', 'spec', 'check', 'feature'] as const
/** The nouns whose events only an admin of the whole server sees. */
export const adminNouns = ['project', 'key', 'webhook'] as const

const deeds = ['created', 'updated', 'deleted'] as const
const typesOf = <Noun extends string>(nouns: readonly Noun[]) =>
  nouns.flatMap((noun) => deeds.map((deed) => `${noun}.${deed}` as const))

const attentionTypes = ['attention.created', 'attention.updated', 'attention.cleared'] as const

/** A live run begins to wait for a person, or rests after a long turn. They change no field that the log has. */
export const activityTypes = ['run.waiting', 'run.idle'] as const
export const isActivity = (type: string): boolean => activityTypes.some((one) => one === type)

/** The types of the events that everyone sees. */
export const openTypes = [...typesOf(openNouns), 'turn.opened' as const, ...activityTypes, ...attentionTypes]
/** All of them, but for what an upgrade causes. */
export const eventTypes = [...openTypes, ...typesOf(adminNouns), 'erasure.created' as const]
