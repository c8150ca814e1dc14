import { ConductError } from '../contract/error.ts'
import type { Tx } from '../engine/db.ts'
import type { Place } from './event-id.ts'
import { firstSeq, lastSeq, readHead } from './read.ts'

/** The position of the newest numbered event; seq 0 on an empty log. */
export async function readEnd(db: Tx): Promise<Place> {
  const newest = await readHead(db, 'newest')
  return newest ? { seq: newest.seq, id: newest.id } : { seq: 0 }
}

/** The id of the event with that seq; undefined if there is none. */
export const readEventId = async (db: Tx, seq: number): Promise<string | undefined> => (await readHead(db, seq))?.id

/**
 * A reader's position with the id of its event. Throws LOG_FORKED if the log ends before it, or has another event
 * there; EVENTS_DROPPED if events after it are no longer in the log. A reader that continues checks its position afterwards, because the database may change between two
 * statements.
 */
export async function requirePlace(db: Tx, { seq, id }: Place): Promise<Place> {
  const first = await requireKept(db, seq)
  // The event before the first was dropped, so nobody can tell whether the reader's was the same.
  if (seq === first - 1) return { seq }
  const found = await readEventId(db, seq)
  if (found !== undefined && found === (id ?? found)) return { seq, id: found }
  const end = await lastSeq(db)
  if (seq <= end && id === undefined) return { seq }
  const fault =
    seq > end
      ? `The log ends with event ${end}, and this reader has event ${seq}: the database has lost events.`
      : `The log has another event ${seq} than this reader (${id}): the database has lost events, and others have their numbers.`
  throw new ConductError('LOG_FORKED', `${fault} Read the ledger again, then follow from the end of the log.`)
}

/** The oldest event that is there. Throws EVENTS_DROPPED if events after `seq` are no longer in the log. */
export async function requireKept(db: Tx, seq: number): Promise<number> {
  const first = await firstSeq(db)
  if (seq >= first - 1) return first
  throw new ConductError(
    'EVENTS_DROPPED',
    `The log begins with event ${first}, and what follows event ${seq} was dropped: read the ledger itself, then go on after ${first - 1}.`,
    { firstSeq: first },
  )
}
