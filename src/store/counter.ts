import sql from 'sql-template-tag'
import { idOf, type Numbered, numberOf } from '../ledger/id.ts'
import type { Ctx } from './ctx.ts'
import { only, type Tx } from './engine/db.ts'

type Noun = Numbered | 'feature'
type Statements = Tx['apart']

/** Numbers of one project and noun that are claimed together. */
interface Claim {
  count: number
  first: Promise<number>
}

const claims = new WeakMap<Statements, Map<string, Claim>>()

/**
 * The next number of the project for that noun: never handed out before, nor again. Where writers work side by side it is
 * claimed past the transaction, so that they do not queue for it, in one statement with those that are claimed in
 * the same moment; a transaction that fails leaves a gap.
 */
export async function claimNumber(ctx: Ctx, noun: Noun): Promise<number> {
  const { apart } = ctx.db
  const open = claims.get(apart) ?? new Map<string, Claim>()
  claims.set(apart, open)
  const key = `${ctx.project.id} ${noun}`
  const claim = open.get(key) ?? { count: 0, first: Promise.resolve(0) }
  if (claim.count === 0) {
    open.set(key, claim)
    claim.first = new Promise<void>((resolve) => process.nextTick(resolve)).then(() => {
      open.delete(key)
      return claimNumbers(apart, ctx.project.id, noun, claim.count)
    })
  }
  const place = claim.count++
  return (await claim.first) + place
}

/** Claims as many numbers; gives the first. */
async function claimNumbers(db: Statements, projectId: number, noun: Noun, count: number): Promise<number> {
  const rows = await db.query<{ claimed: number }>(sql`
    insert into counters (project_id, noun, next) values (${projectId}, ${noun}, ${count + 1})
    on conflict (project_id, noun) do update set next = counters.next + ${count} returning next - ${count} as claimed`)
  return only(rows).claimed
}

/** Moves the counter past a number that a caller took by hand, whatever becomes of the row. */
export async function moveCounter(ctx: Ctx, noun: Noun, taken: number): Promise<void> {
  await ctx.db.apart.query(sql`
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
