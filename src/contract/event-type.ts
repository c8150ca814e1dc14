/** The nouns whose events everyone sees. */
const openNouns = ['run', 'turn', 'spec', 'check', 'feature'] as const
/** The nouns whose events only an admin of the whole server sees. */
export const adminNouns = ['project', 'key', 'webhook'] as const

const deeds = ['created', 'updated', 'deleted'] as const
const typesOf = <Noun extends string>(nouns: readonly Noun[]) =>
  nouns.flatMap((noun) => deeds.map((deed) => `${noun}.${deed}` as const))

/** The types of the events that everyone sees. */
export const openTypes = [...typesOf(openNouns), 'turn.opened' as const]
/** All of them, but for what an upgrade causes. */
export const eventTypes = [...openTypes, ...typesOf(adminNouns), 'erasure.created' as const]
