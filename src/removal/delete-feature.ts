import sql from 'sql-template-tag'
import { useUpVersions } from '../frame/counter.ts'
import { type Ctx, inTx, type Operation, requireVersion } from '../frame/ctx.ts'
import { keepGrams } from '../frame/grams.ts'
import { listOf } from '../frame/pieces.ts'
import { hiddenName, openRemains } from '../frame/remains.ts'
import { vanished } from '../log/event.ts'
import { recordAll } from '../log/record.ts'
import { requireFeature } from '../nouns/feature/feature.ts'
import type { FeatureRoutes } from '../nouns/feature/routes.ts'
import { type FeatureRow, recordFeature, stateOf, textOf } from '../nouns/feature/row.ts'
import { eventOf } from '../nouns/run/row.ts'
import { most } from './slice.ts'

/** Throws PRECONDITION_FAILED if `ifVersion` is outdated. */
export const deleteFeature: Operation<FeatureRoutes['deleteFeature']> = (ctx, { id, ifVersion }) =>
  inTx(ctx, async (ctx) => {
    // Runs first, as in all transactions that change links and totals.
    await lockRunsOf(ctx, id)
    const row = await requireFeature(ctx, id, ctx.db.dialect.forUpdate)
    requireVersion(ifVersion, id, row.version)
    // Those that were linked meanwhile. From now on, there are no new links.
    const isLast = await lockRunsOf(ctx, id)
    await ctx.db.query(sql`delete from feature_totals where feature_id = ${row.id}`)
    if (isLast) while (await removeFeature(ctx, row));
    else await hide(ctx, row)
    await useUpVersions(ctx, `feature ${row.number}`, row.version)
    await keepGrams(ctx, 'feature', row.id, textOf(row), undefined)
    await recordFeature(ctx, 'deleted', row, vanished(stateOf(row)))
    return { message: 'Feature deleted successfully' }
  })

/**
 * Keeps others from unlinking or deleting the runs of a feature, or changing their costs, until the transaction ends.
 * Returns false if they are too many for one transaction.
 */
async function lockRunsOf(ctx: Ctx, number: number): Promise<boolean> {
  const found = await ctx.db.query<{ run_id: number }>(sql`
    select l.run_id from run_features l where l.feature_id = (
      select f.id from features f where f.project_id = ${ctx.project.id} and f.number = ${number})
    limit ${most.links + 1}`)
  if (found.length === 0 || found.length > most.links) return found.length === 0
  const ids = listOf(found.map(({ run_id }) => run_id))
  await ctx.db.query(sql`select id from runs where id in (${ids}) order by id ${ctx.db.dialect.forUpdate}`)
  return true
}

/** Makes a feature vanish whose links are too many for one transaction: `remains.ts` removes them in slices. */
async function hide(ctx: Ctx, row: FeatureRow): Promise<void> {
  await ctx.db.query(sql`
    update features set project_id = ${await openRemains(ctx)}, number = ${row.id}, name = ${hiddenName(row)},
      description = null, file = null, updated_by = ${ctx.actor.id} where id = ${row.id}`)
}

/**
 * Unlinks a feature from some of its runs, with an event for each, and deletes it with the last of them. Returns whether
 * there are more. The caller has hidden it, or locked its runs.
 */
export async function removeFeature(ctx: Ctx, { id, number }: Pick<FeatureRow, 'id' | 'number'>): Promise<boolean> {
  const links = await ctx.db.query<{ run_id: number }>(sql`
    select run_id from run_features where feature_id = ${id} order by created_at, run_id limit ${most.links}`)
  if (links.length > 0) {
    const ids = listOf(links.map(({ run_id }) => run_id))
    await ctx.db.query(sql`select id from runs where id in (${ids}) order by id ${ctx.db.dialect.forUpdate}`)
    const gone = await ctx.db.query<{ run_id: number }>(sql`
      delete from run_features where feature_id = ${id} and run_id in (${ids}) returning run_id`)
    const runs = await ctx.db.query<{ id: number; run_id: string }>(sql`
      select id, run_id from runs where id in (${ids}) and project_id = ${ctx.project.id} order by id`)
    const unlinked = new Set(gone.map(({ run_id }) => run_id))
    const events = runs
      .filter((run) => unlinked.has(run.id))
      .map((run) => eventOf(ctx, 'updated', run, { features: [[number], null] }))
    await recordAll(ctx, events)
  }
  if (links.length === most.links) return true
  await ctx.db.query(sql`delete from features where id = ${id}`)
  // Last, because only now no change of a run adds to them.
  await ctx.db.query(sql`delete from feature_totals where feature_id = ${id}`)
  return false
}
