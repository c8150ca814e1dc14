import sql, { join } from 'sql-template-tag'
import type { Event } from '../../api/event.ts'
import type { ActorName } from '../../api/field.ts'
import type { Ctx } from '../ctx.ts'
import type { Tx } from '../engine/db.ts'

/** Adds an actor, and returns its number for rows and events. */
export async function insertActor(ctx: Ctx, kind: Event['actor']['kind'], name: string): Promise<number> {
  const [row] = await ctx.db.query<{ id: number }>(
    sql`insert into actors (kind, name) values (${kind}, ${name}) returning id`,
  )
  return (row as { id: number }).id
}

/** The actors read so far from each database. They never change. */
const known = new WeakMap<Tx['apart'], Map<number, ActorName>>()

/** The actors with these numbers, by number. */
export async function actorsOf(ctx: Ctx, ids: readonly number[]): Promise<ReadonlyMap<number, ActorName>> {
  const actors = known.get(ctx.db.apart) ?? new Map<number, ActorName>()
  known.set(ctx.db.apart, actors)
  const missing = [...new Set(ids)].filter((id) => !actors.has(id))
  if (missing.length === 0) return actors
  const rows = await ctx.db.query<ActorName & { id: number }>(
    sql`select id, kind, name from actors where id in (${join(missing)})`,
  )
  for (const { id, kind, name } of rows) actors.set(id, { kind, name })
  return actors
}

/** The name of an actor, for a message. */
export async function nameOfActor(ctx: Ctx, id: number): Promise<string> {
  const actor = (await actorsOf(ctx, [id])).get(id)
  if (actor?.kind === 'key') return `the key '${actor.name}'`
  if (actor?.kind === 'system') return actor.name ?? 'Conduct itself'
  return 'the local user'
}
