import sql from 'sql-template-tag'
import { systemActor } from '../contract/actor.ts'
import type { Tx } from '../engine/db.ts'
import { type Ctx, systemCtx } from '../frame/ctx.ts'
import { hiddenFrom, hiddenNumber } from '../frame/remains.ts'
import { columns, type RunRow } from '../nouns/run/row.ts'
import { removeFeature } from './delete-feature.ts'
import { removeRows, removeSome } from './delete-run.ts'

/** Deletes a slice of what was too large to be deleted at once, in the name of who did. Returns whether there was any. */
export async function removeRemains(db: Tx, now: string): Promise<boolean> {
  const [hidden] = await db.query<{ id: number; slug: string }>(sql`
    select id, slug from projects where deleted_at is not null and emptied_at is null and slug like '~%'
    order by id limit 1`)
  if (!hidden) return false
  const ctx = systemCtx(db, now, hiddenFrom(hidden.slug))
  await db.tx(async (db) => {
    const isMore = (await removeRun({ ...ctx, db }, hidden.id)) || (await unlinkFeature({ ...ctx, db }, hidden.id))
    if (!isMore) await close(db, now, hidden.id)
  })
  return true
}

const inNameOf = (ctx: Ctx, id: number): Ctx => ({ ...ctx, actor: { ...systemActor, id } })

async function removeRun(ctx: Ctx, hidden: number): Promise<boolean> {
  const [row] = await ctx.db.query<RunRow>(sql`
    select ${columns} from runs where runs.project_id = ${hidden} order by runs.created_at, runs.id limit 1
    ${ctx.db.dialect.forUpdate}`)
  if (!row) return false
  const own = inNameOf(ctx, row.updated_by)
  if (!(await removeSome(own, [row]))) await removeRows(own, [row])
  return true
}

async function unlinkFeature(ctx: Ctx, hidden: number): Promise<boolean> {
  const [row] = await ctx.db.query<{ id: number; name: string; updated_by: number }>(sql`
    select id, name, updated_by from features where project_id = ${hidden} order by created_at, id limit 1`)
  if (!row) return false
  await removeFeature(inNameOf(ctx, row.updated_by), { id: row.id, number: hiddenNumber(row.name) })
  return true
}

/** Closes a hidden project unless somebody has put something into it meanwhile. */
async function close(db: Tx, now: string, hidden: number): Promise<void> {
  await db.query(sql`select id from projects where id = ${hidden} ${db.dialect.forUpdate}`)
  await db.query(sql`
    update projects set emptied_at = ${now} where id = ${hidden}
      and not exists (select 1 from runs where project_id = ${hidden})
      and not exists (select 1 from features where project_id = ${hidden})`)
}
