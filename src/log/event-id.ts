import { hash } from 'node:crypto'

/** What the id of an event rests on: fields that no erasing and no renaming changes. */
export interface EventHead {
  seq: number
  projectId: number | null
  type: string
  subject: string
  subjectId: number
  actorKind: string | null
  keyId: number | null
  at: string
}

/**
 * The id of an event: its seq and 48 bits of a digest. A database that lost its newest events gives their seqs to other
 * events, and these have other ids.
 */
export function eventIdOf({ seq, projectId, type, subject, subjectId, actorKind, keyId, at }: EventHead): string {
  const said = JSON.stringify([seq, projectId, type, subject, subjectId, actorKind, keyId, at])
  return `${seq}-${hash('sha256', said).slice(0, 12)}`
}

/** Where a reader stands in the log: after the event with that seq and, if the reader knows it, that id. */
export interface LogPosition {
  seq: number
  id?: string | undefined
}

/** A seq, or the id of an event. */
export const placePattern = /^(?:0|[1-9]\d{0,14}(?:-[0-9a-f]{12})?)$/

/** The place that a seq or an id of the form `placePattern` names. */
export function placeOf(given: number | string): LogPosition {
  const [seq, digest] = String(given).split('-')
  return { seq: Number(seq), ...(digest !== undefined && { id: String(given) }) }
}
