import sql from 'sql-template-tag'
import { idOf, type Numbered, numberOf } from '../contract/id.ts'
import { only, type Tx } from '../engine/db.ts'
import type { Ctx } from './ctx.ts'

type Noun = Numbered | 'feature'
type Statements = Tx['apart']

/** Numbers of one project and noun to claim together. */
interface Claim {
  count: number
  first: Promise<number>
}

const claims = new WeakMap<Statements, Map<string, Claim>>()

/**
 * The next number for that noun in the project, which is never handed out twice. If writers work concurrently, it is
 * claimed outside the transaction, so that they do not queue for it, together with all numbers claimed at that moment.
 * A failed transaction leaves a gap.
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

/** Claims that many numbers. Returns the first one. */
async function claimNumbers(db: Statements, projectId: number, noun: Noun, count: number): Promise<number> {
  const rows = await db.query<{ claimed: number }>(sql`
    insert into counters (project_id, noun, next) values (${projectId}, ${noun}, ${count + 1})
    on conflict (project_id, noun) do update set next = counters.next + ${count} returning next - ${count} as claimed`)
  return only(rows).claimed
}

/** Moves the counter past a number that a caller has chosen, even if the row is never written. */
export async function moveCounter(ctx: Ctx, noun: Noun, taken: number): Promise<void> {
  await ctx.db.apart.query(sql`
    insert into counters (project_id, noun, next) values (${ctx.project.id}, ${noun}, ${taken + 1})
    on conflict (project_id, noun) do update
      set next = case when counters.next > excluded.next then counters.next else excluded.next end`)
}

/**
 * Inserts a row under the id that the caller gave, or under the next free one. `insert` returns undefined if the id is
 * taken; so does this function for a given id. It skips numbers that a caller has taken in another form (`RUN-0007`
 * beside `RUN-007`).
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

/**
 * The first version of a new `spec S` or `feature 42`: 1, or if a deleted one had this id, the next version after its
 * last. So a version that a run refers to, and an ETag, never change their meaning.
 */
export async function firstVersion(ctx: Ctx, subject: string): Promise<number> {
  const [row] = await ctx.db.query<{ next: number }>(sql`
    select next from counters where project_id = ${ctx.project.id} and noun = ${subject}`)
  return row?.next ?? 1
}

/** Records that the versions of a deleted `spec S` or `feature 42` are taken. */
export async function useUpVersions(ctx: Ctx, subject: string, last: number): Promise<void> {
  await ctx.db.query(sql`
    insert into counters (project_id, noun, next) values (${ctx.project.id}, ${subject}, ${last + 1})
    on conflict (project_id, noun) do update set next = excluded.next`)
}
