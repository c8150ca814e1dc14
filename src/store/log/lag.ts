import sql from 'sql-template-tag'
import type { Tx } from '../engine/db.ts'

/** How far a follower is behind the end of the log. */
export interface Lag {
  follower: string
  /** The events that it has not read yet. */
  events: number
}

/** The lag of each follower, by name. Events that have no number yet do not count. */
export const readLags = (db: Tx): Promise<Lag[]> =>
  db.query<Lag>(sql`
    select name as follower, (select coalesce(max(seq), 0) from events) - last_seq as events
    from followers order by name`)
