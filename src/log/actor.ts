import sql, { join } from 'sql-template-tag'
import type { ActorName } from '../contract/field.ts'
import type { Tx } from '../engine/db.ts'
import type { Ctx } from '../frame/ctx.ts'

/** Adds the actor of a key, and returns its number for rows and events. */
export async function insertActor(ctx: Ctx, name: string): Promise<number> {
  const [row] = await ctx.db.query<{ id: number }>(
    sql`insert into actors (kind, name) values ('key', ${name}) returning id`,
  )
  return (row as { id: number }).id
}

/** How long a server may show the name of an actor that was changed, or that another server has erased, in milliseconds. */
const knownMs = 10_000

/** The actors that each database handle has read lately. Only renaming and erasing change them. */
const known = new WeakMap<Tx['apart'], { names: Map<number, ActorName>; since: number }>()

/** The actors with these numbers, by number. */
export async function actorsOf(ctx: Ctx, ids: readonly number[]): Promise<ReadonlyMap<number, ActorName>> {
  const actors = knownTo(ctx)
  const missing = [...new Set(ids)].filter((id) => !actors.has(id))
  if (missing.length === 0) return actors
  const rows = await ctx.db.query<ActorName & { id: number }>(
    sql`select id, kind, name from actors where id in (${join(missing)})`,
  )
  for (const { id, kind, name } of rows) actors.set(id, { kind, name })
  return actors
}

function knownTo({ db, now }: Ctx): Map<number, ActorName> {
  const kept = known.get(db.apart)
  const at = Date.parse(now)
  if (kept && Math.abs(at - kept.since) < knownMs) return kept.names
  const names = new Map<number, ActorName>()
  known.set(db.apart, { names, since: at })
  return names
}

/** Reads the names of actors again. To be called once their erasure is committed. */
export const forgetActors = ({ db }: Ctx) => known.delete(db.apart)

/** The name of an actor, for a message. */
export async function nameOfActor(ctx: Ctx, id: number): Promise<string> {
  const actor = (await actorsOf(ctx, [id])).get(id)
  if (actor?.kind === 'key') return `the key '${actor.name}'`
  if (actor?.kind === 'system') return actor.name ?? 'Conduct itself'
  return 'the local user'
}
