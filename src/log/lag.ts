import sql from 'sql-template-tag'
import type { Tx } from '../engine/db.ts'

/** How far a follower is behind the end of the log. */
export interface Lag {
  follower: string
  /** The events that it has not read yet. */
  events: number
}

/** The most webhooks with a lag. Metrics with more series help nobody. */
const mostWebhooks = 1000

/** The lag of each follower and each enabled webhook, by name. Events without a number do not count. */
export const readLags = (db: Tx): Promise<Lag[]> =>
  db.query<Lag>(sql`
    select name as follower, (select coalesce(max(seq), 0) from events) - last_seq as events
    from (
      select name, last_seq from followers
      union all
      select name, last_seq from (select 'webhook/' || id as name, after_seq as last_seq from webhooks
        where enabled = 1 order by id limit ${mostWebhooks}) as sending
    ) as all_followers order by name`)
