import sql, { join } from 'sql-template-tag'
import { shifted } from '../contract/span.ts'
import type { Tx } from '../engine/db.ts'
import { latestBy } from '../engine/drift.ts'
import type { Ctx } from '../frame/ctx.ts'
import { firstSeq, lastSeq } from './read.ts'
import { recordErasure } from './record.ts'

/** How many events one transaction drops. */
const droppedAtOnce = 500
const dayMs = 86_400_000

/** Where a round of dropping ends: the first event to keep; undefined if there is nothing to drop. */
export async function planDrop(ctx: Ctx, days: number): Promise<number | undefined> {
  const limit = shifted(ctx.now, -days * dayMs)
  const first = await firstSeq(ctx.db)
  const since = await firstSince(ctx.db, first, { from: limit, to: latestBy(ctx.now) })
  const kept = Math.min(since, (await leastRead(ctx.db)) + 1, await lastSeq(ctx.db))
  if (kept <= first) return undefined
  // The event comes first. Otherwise a verifier would find events missing without a record.
  await ctx.db.tx((tx) => recordErasure({ ...ctx, db: tx }, null, { what: 'log', first: kept }))
  return kept
}

/**
 * The first event in a span of time. A binary search finds almost where it is, because events are almost in the order of
 * their times. Later ones come from a clock that was ahead, and say nothing. Earlier ones behind it may come from a clock
 * that was behind.
 */
async function firstSince(db: Tx, first: number, { from, to }: { from: string; to: string }): Promise<number> {
  let [low, high] = [first, (await lastSeq(db)) + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [event] = await db.query<{ at: string }>(sql`
      select at from events where seq >= ${middle} and at <= ${to} order by seq limit 1`)
    if (event && event.at < from) low = middle + 1
    else high = middle
  }
  const [before] = await db.query<{ seq: number }>(sql`
    select seq from events where seq < ${low} and at >= ${from} and at <= ${to} order by seq limit 1`)
  return before?.seq ?? low
}

/** The event up to which every follower and every enabled webhook has read the log. */
async function leastRead(db: Tx): Promise<number> {
  const [row] = await db.query<{ seq: number | null }>(sql`select min(seq) as seq from (
    select last_seq as seq from followers
    union all select after_seq as seq from webhooks where enabled = 1) as read_up_to`)
  return row?.seq ?? 0
}

/** Drops some of the events before `kept`, with the salts of their texts. Their leaves stay in the tree. Returns whether there are more. */
export async function dropNext(db: Tx, kept: number): Promise<boolean> {
  return db.tx(async (tx) => {
    // A webhook moved back does so before this, which then waits for it, or after it, and is refused.
    await tx.query(tx.dialect.alone)
    const until = Math.min(kept, (await leastRead(tx)) + 1)
    const found = await tx.query<{ seq: number }>(sql`
      select seq from events where seq < ${until} order by seq limit ${droppedAtOnce}`)
    if (found.length === 0) return false
    const seqs = join(found.map(({ seq }) => seq))
    await tx.query(sql`delete from events where seq in (${seqs})`)
    await tx.query(sql`delete from seal_salts where seq in (${seqs})`)
    return found.length === droppedAtOnce
  })
}
