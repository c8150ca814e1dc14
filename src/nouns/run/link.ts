import sql from 'sql-template-tag'
import { ConductError, invalid } from '../../contract/error.ts'
import { type Ctx, inTx, type Operation, requireOwn } from '../../frame/ctx.ts'
import { listOf } from '../../frame/pieces.ts'
import { unlinkRemains } from '../../frame/remains.ts'
import { ensureFeature, requirePossible } from '../feature/feature.ts'
import type { FeatureInput } from '../feature/fields.ts'
import { placeholderName } from '../feature/name.ts'
import type { FeatureRow } from '../feature/row.ts'
import { countLinks } from '../feature/totals.ts'
import type { RunRoutes } from './routes.ts'
import { type RunRow, recordRun, requireRun } from './row.ts'

/**
 * The run, locked until the transaction ends. Links need no lease. Throws FORBIDDEN for an agent key on another's run;
 * NOT_FOUND.
 */
async function requireChangeable(ctx: Ctx, runId: string): Promise<RunRow> {
  const row = await requireRun(ctx, runId, ctx.db.dialect.forUpdate)
  requireOwn(ctx, row, `run '${runId}'`)
  return row
}

/** The most bytes of the features that one call describes: each part of them is indexed before anybody else may write. */
const mostText = 100_000

function faultOf(featureIds: number[], features: FeatureInput[]): ConductError | undefined {
  const named = featureIds.length + features.length
  if (named < 1 || named > 100) {
    return invalid('featureIds', `name 1 to 100 features in featureIds and features together, not ${named}`)
  }
  const text = features.reduce((sum, { name, description }) => sum + Buffer.byteLength(name + (description ?? '')), 0)
  if (text <= mostText) return undefined
  const limit = `at most ${mostText.toLocaleString('en')} bytes, not ${text.toLocaleString('en')}`
  return invalid('features', `their names and descriptions must have ${limit}: link the rest in another call`)
}

/**
 * Throws VALIDATION_ERROR unless 1 to 100 features are named, for long descriptions, and for a new number that is too
 * large; FORBIDDEN for an agent key on another's run; NOT_FOUND.
 */
export const linkFeatures: Operation<RunRoutes['linkFeatures']> = (ctx, { runId, featureIds = [], features = [] }) => {
  const fault = faultOf(featureIds, features)
  if (fault) return Promise.reject(fault)
  return inTx(ctx, async (ctx) => {
    const run = await requireChangeable(ctx, runId)
    const gone = await unlinkRemains(ctx, run.id)
    if (gone.length > 0) await recordRun(ctx, 'updated', run, { features: [gone, null] })
    const linked = new Map<number, { row: FeatureRow; made: boolean }>()
    const add = (feature: { row: FeatureRow; made: boolean }) => {
      linked.set(feature.row.number, {
        row: feature.row,
        made: feature.made || linked.get(feature.row.number)?.made === true,
      })
    }
    // All callers use the same order, so that two of them cannot deadlock.
    const numbers = featureIds.toSorted((a, b) => a - b)
    // First of all, since on PostgreSQL a transaction that fails does not give back the numbers that it has taken.
    for (const number of numbers) await requirePossible(ctx, number)
    for (const number of numbers) add(await ensureFeature(ctx, { name: placeholderName(number) }, number))
    for (const fields of features) add(await ensureFeature(ctx, fields))
    const added: FeatureRow[] = []
    for (const { row } of linked.values()) {
      const [link] = await ctx.db.query(sql`
        insert into run_features (run_id, feature_id, created_at) values (${run.id}, ${row.id}, ${run.created_at})
        on conflict do nothing returning run_id`)
      if (link) added.push(row)
    }
    if (added.length > 0) {
      await countLinks(ctx, sql`l.run_id = ${run.id} and l.feature_id in (${listOf(added.map(({ id }) => id))})`, 1)
      await recordRun(ctx, 'updated', run, { features: [null, added.map(({ number }) => number)] })
    }
    const created = [...linked.values()].filter(({ made }) => made).map(({ row }) => row.number)
    return { message: 'Features linked successfully', count: linked.size, created }
  })
}

/** Throws NOT_FOUND if the run or the link does not exist; FORBIDDEN for an agent key on another's run. */
export const unlinkFeature: Operation<RunRoutes['unlinkFeature']> = (ctx, { runId, featureId }) =>
  inTx(ctx, async (ctx) => {
    const run = await requireChangeable(ctx, runId)
    const isLink = sql`l.run_id = ${run.id}
      and l.feature_id = (select id from features where project_id = ${ctx.project.id} and number = ${featureId})`
    await countLinks(ctx, isLink, -1)
    const [link] = await ctx.db.query(sql`delete from run_features as l where ${isLink} returning run_id`)
    if (!link) throw new ConductError('NOT_FOUND', `Run '${runId}' has no link to feature ${featureId}.`)
    await recordRun(ctx, 'updated', run, { features: [[featureId], null] })
    return { message: 'Feature unlinked successfully' }
  })
