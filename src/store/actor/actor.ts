import sql from 'sql-template-tag'
import type { Event } from '../../api/event.ts'
import type { Ctx } from '../ctx.ts'

/** Adds somebody who may act, and returns the number that rows and events give as theirs. */
export async function insertActor(ctx: Ctx, kind: Event['actor']['kind'], name: string): Promise<number> {
  const [row] = await ctx.db.query<{ id: number }>(
    sql`insert into actors (kind, name) values (${kind}, ${name}) returning id`,
  )
  return (row as { id: number }).id
}

/** An actor in words, for a message. */
export async function nameOfActor(ctx: Ctx, id: number): Promise<string> {
  const [actor] = await ctx.db.query<{ kind: string; name: string | null }>(
    sql`select kind, name from actors where id = ${id}`,
  )
  if (actor?.kind === 'key') return `the key '${actor.name}'`
  return actor?.kind === 'system' ? 'Conduct itself' : 'the local user'
}
