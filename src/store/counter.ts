import sql from 'sql-template-tag'
import { idOf, type Numbered, numberOf } from '../ledger/id.ts'
import type { Ctx } from './ctx.ts'

type Noun = Numbered | 'feature'

/** The next number of the project for that noun: never handed out before, nor again. Queues the writers of one project. */
export async function claimNumber(ctx: Ctx, noun: Noun): Promise<number> {
  const [row] = await ctx.db.query<{ claimed: number }>(sql`
    insert into counters (project_id, noun, next) values (${ctx.project.id}, ${noun}, 2)
    on conflict (project_id, noun) do update set next = counters.next + 1 returning next - 1 as claimed`)
  return (row as { claimed: number }).claimed
}

/** Moves the counter past a number that a caller took by hand. Comes before the insert of the row, for one order of locks. */
export async function moveCounter(ctx: Ctx, noun: Noun, taken: number): Promise<void> {
  await ctx.db.query(sql`
    insert into counters (project_id, noun, next) values (${ctx.project.id}, ${noun}, ${taken + 1})
    on conflict (project_id, noun) do update
      set next = case when counters.next > excluded.next then counters.next else excluded.next end`)
}

/**
 * Inserts a row under the id that a caller gave, or under the next free one. `insert` answers undefined for an id that
 * is taken; so does this, for one that was given. A number that was taken by hand in another form (`RUN-0007` beside
 * `RUN-007`) is passed over.
 */
export async function insertUnder<Row>(
  ctx: Ctx,
  noun: Numbered,
  given: string | undefined,
  insert: (id: string) => Promise<Row | undefined>,
): Promise<Row | undefined> {
  if (given !== undefined) {
    const number = numberOf(noun, given)
    if (number !== undefined) await moveCounter(ctx, noun, number)
    return insert(given)
  }
  for (;;) {
    const row = await insert(idOf(noun, await claimNumber(ctx, noun)))
    if (row) return row
  }
}
