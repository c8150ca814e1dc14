import sql from 'sql-template-tag'
import { useUpVersions } from '../frame/counter.ts'
import { type Ctx, inTx, type Operation, requireVersion } from '../frame/ctx.ts'
import { keepGrams } from '../frame/part.ts'
import { vanished } from '../log/event.ts'
import { type FeatureRow, recordFeature, requireFeature, stateOf, textOf } from '../nouns/feature/feature.ts'
import type { FeatureRoutes } from '../nouns/feature/routes.ts'
import { recordRun } from '../nouns/run/row.ts'

/** Throws PRECONDITION_FAILED if `ifVersion` is outdated. */
export const deleteFeature: Operation<FeatureRoutes['deleteFeature']> = (ctx, { id, ifVersion }) =>
  inTx(ctx, async (ctx) => {
    // Runs first, as in all transactions that change links and totals.
    await lockRunsOf(ctx, id)
    const row = await requireFeature(ctx, id, ctx.db.dialect.forUpdate)
    requireVersion(ifVersion, id, row.version)
    // Those that were linked meanwhile. From now on, there are no new links.
    await lockRunsOf(ctx, id)
    await unlinkAll(ctx, row)
    await ctx.db.query(sql`delete from features where id = ${row.id}`)
    await useUpVersions(ctx, `feature ${row.number}`, row.version)
    await keepGrams(ctx, 'feature', row.id, textOf(row), undefined)
    await recordFeature(ctx, 'deleted', row, vanished(stateOf(row)))
    return { message: 'Feature deleted successfully' }
  })

/** Keeps others from unlinking or deleting the runs of a feature, or changing their costs, until the transaction ends. */
const lockRunsOf = (ctx: Ctx, number: number) =>
  ctx.db.query(sql`
    select id from runs where id in (select l.run_id from run_features l join features f on f.id = l.feature_id
      where f.project_id = ${ctx.project.id} and f.number = ${number}) order by id ${ctx.db.dialect.forUpdate}`)

/** Unlinks a feature from its runs, which the caller has locked, with an event for each. */
async function unlinkAll(ctx: Ctx, { id, number }: FeatureRow): Promise<void> {
  const runs = await ctx.db.query<{ id: number; run_id: string }>(sql`
    select r.id, r.run_id from run_features l join runs r on r.id = l.run_id where l.feature_id = ${id} order by r.id`)
  await ctx.db.query(sql`delete from run_features where feature_id = ${id}`)
  await ctx.db.query(sql`delete from feature_totals where feature_id = ${id}`)
  for (const run of runs) await recordRun(ctx, 'updated', run, { features: [[number], null] })
}
