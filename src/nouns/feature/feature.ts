import sql, { empty, type Sql } from 'sql-template-tag'
import { ConductError, invalid } from '../../contract/error.ts'
import { UniqueViolation } from '../../engine/db.ts'
import { claimNumber, firstVersion, moveCounter } from '../../frame/counter.ts'
import { type Ctx, inTx, type Operation, type ProjectRef, requireOwn, requireVersion } from '../../frame/ctx.ts'
import { gramWalks, keepGrams, likeOf } from '../../frame/grams.ts'
import { byTime, readPage } from '../../frame/page.ts'
import { idsOf } from '../../frame/pieces.ts'
import { visibleProjects } from '../../frame/scope.ts'
import { assigned, inserted } from '../../frame/stored.ts'
import { appeared, differences } from '../../log/event.ts'
import { emptyFeature, type FeatureInput, type FeaturePatch, type FeatureRuns } from './fields.ts'
import { maxFeatureNumber, numberOfName } from './name.ts'
import type { FeatureRoutes } from './routes.ts'
import {
  columns,
  type FeatureRow,
  type FeatureState,
  featureOf,
  recordFeature,
  stateOf,
  textOf,
  valuesOf,
} from './row.ts'
import { runsTouching } from './touched.ts'

async function findByNumber(ctx: Ctx, number: number, lock = empty): Promise<FeatureRow | undefined> {
  const [row] = await ctx.db.query<FeatureRow>(sql`
    select ${columns} from features f where f.project_id = ${ctx.project.id} and f.number = ${number} ${lock}`)
  return row
}

async function findByName(ctx: Ctx, name: string): Promise<FeatureRow | undefined> {
  const [row] = await ctx.db.query<FeatureRow>(sql`
    select ${columns} from features f where f.project_id = ${ctx.project.id} and f.name = ${name}`)
  return row
}

/** The feature with that number. Throws NOT_FOUND if the project has none. */
export async function requireFeature(ctx: Ctx, number: number, lock = empty): Promise<FeatureRow> {
  const row = await findByNumber(ctx, number, lock)
  if (!row) throw new ConductError('NOT_FOUND', `There is no feature ${number} in project '${ctx.project.slug}'.`)
  return row
}

/**
 * Creates a feature unless one with that number or name exists. Returns it, and whether it was created. Without a
 * number it gets the next one, except that the name `feature-<n>` belongs to n.
 */
export async function ensureFeature(ctx: Ctx, fields: FeatureInput, number = numberOfName(fields.name)) {
  const there = number === undefined ? await findByName(ctx, fields.name) : await findByNumber(ctx, number)
  if (there) return { row: there, made: false }
  if (number !== undefined) await moveCounter(ctx, 'feature', number)
  const state: FeatureState = { ...emptyFeature, ...fields }
  for (;;) {
    const values = {
      project_id: ctx.project.id,
      number: number ?? (await claimNumber(ctx, 'feature')),
      ...valuesOf(state),
      created_by: ctx.actor.id,
      updated_by: ctx.actor.id,
      created_at: ctx.now,
      updated_at: ctx.now,
    }
    const [row] = await ctx.db.query<{ id: number; number: number }>(sql`
      insert into features ${inserted(values)}
      on conflict do nothing returning id, number`)
    if (row) {
      if (number !== undefined) await beginVersions(ctx, row)
      await keepGrams(ctx, 'feature', row.id, undefined, textOf(state))
      await recordFeature(ctx, 'created', row, appeared(state))
      return { row: await requireFeature(ctx, row.number), made: true }
    }
    // Another caller has created it meanwhile, or has taken its name. A generated number that a caller had chosen
    // before is skipped.
    const winner = (number !== undefined && (await findByNumber(ctx, number))) || (await findByName(ctx, state.name))
    if (winner) return { row: winner, made: false }
  }
}

/** Sets the first version of a new feature. The insert may have waited for the deletion of one with its number. */
async function beginVersions(ctx: Ctx, { id, number }: Pick<FeatureRow, 'id' | 'number'>): Promise<void> {
  const version = await firstVersion(ctx, `feature ${number}`)
  if (version > 1) await ctx.db.query(sql`update features set version = ${version} where id = ${id}`)
}

/** Throws VALIDATION_ERROR for the number of a feature that does not exist and that is too large for a new one. */
export async function requirePossible(ctx: Ctx, number: number): Promise<void> {
  if (number <= maxFeatureNumber || (await findByNumber(ctx, number))) return
  throw invalid('featureIds', `must not name ${number}: a feature that does not exist has at most ${maxFeatureNumber}`)
}

/** Writes the given fields. Writing the same values is not a change. */
async function write(ctx: Ctx, row: FeatureRow, patch: FeaturePatch): Promise<FeatureRow> {
  const before = stateOf(row)
  const after: FeatureState = { ...before, ...patch }
  const changes = differences(before, after)
  if (Object.keys(changes).length === 0) return row
  requireOwn(ctx, row, `feature ${row.number}`)
  await ctx.db
    .query(sql`
    update features set ${assigned(valuesOf(after))}, updated_at = ${ctx.now}, updated_by = ${ctx.actor.id},
      version = version + 1 where id = ${row.id}`)
    .catch((error) => {
      throw error instanceof UniqueViolation ? nameTaken(`Another feature is called '${after.name}'`) : error
    })
  await keepGrams(ctx, 'feature', row.id, textOf(row), textOf(after))
  await recordFeature(ctx, 'updated', row, changes)
  return requireFeature(ctx, row.number)
}

/**
 * Creates a feature, or updates the one with that name. Throws CONFLICT for a name `feature-<n>` whose number has
 * another name.
 */
export const createFeature: Operation<FeatureRoutes['createFeature']> = (ctx, fields) =>
  inTx(ctx, async (ctx) => {
    for (;;) {
      const { row, made } = await ensureFeature(ctx, fields)
      if (made) return { feature: featureOf(row), created: true }
      if (row.name !== fields.name) {
        throw nameTaken(`The name '${fields.name}' belongs to feature ${row.number}, which is called '${row.name}'`)
      }
      const locked = await findByNumber(ctx, row.number, ctx.db.dialect.forUpdate)
      // Otherwise, it was renamed or deleted meanwhile.
      if (locked?.name === fields.name) {
        return { feature: featureOf(await write(ctx, locked, fields)), created: false }
      }
    }
  })

const nameTaken = (why: string) => new ConductError('CONFLICT', `${why}: choose another name.`)

export const listFeatures: Operation<FeatureRoutes['listFeatures']> = async (
  ctx,
  { project, q, file, runId, ...page },
) => {
  const scope = await visibleProjects(ctx, project)
  const isLike = (part: string) => sql`(${likeOf('f.name', part)} or ${likeOf('f.description', part)})`
  const found =
    runId === undefined
      ? await gramWalks(ctx, 'feature', { ...scope, all: scope.all && file === undefined }, q, isLike)
      : await walksOfRun(ctx, scope.projects, runId, q === undefined ? [] : [isLike(q)])
  const ofFile = file === undefined ? [] : [sql`f.file = ${file}`]
  const walks = found.map((walk) => ({ ...walk, where: [...walk.where, ...ofFile] }))
  const { rows, meta } = await readPage<FeatureRow>(ctx.db, columns, walks, page)
  const touching = await runsTouching(ctx.db, idsOf(rows))
  return { features: rows.map((row) => ({ ...featureOf(row), ...(touching.get(row.id) as FeatureRuns) })), meta }
}

/**
 * The walks through the features of the runs with that id. They are read whole, to sort them. A feature that is being
 * deleted is in another project than its runs.
 */
async function walksOfRun({ db }: Ctx, projects: ProjectRef[], runId: string, isLike: Sql[]) {
  const isOurs = db.dialect.isOneOf('project_id', idsOf(projects))
  const runs = await db.query<{ id: number; project_id: number }>(sql`
    select id, project_id from runs where run_id = ${runId} and ${isOurs}`)
  return runs.map(({ id, project_id }) => ({
    from: sql`run_features l cross join features f`,
    where: [
      sql`l.run_id = ${id}`,
      db.dialect.follows('f.id', 'l.feature_id'),
      sql`f.project_id + 0 = ${project_id}`,
      ...isLike,
    ],
    ...byTime('f'),
  }))
}

/** Throws NOT_FOUND if the project has no feature with that number. */
export const getFeature: Operation<FeatureRoutes['getFeature']> = async (ctx, { id }) => ({
  feature: featureOf(await requireFeature(ctx, id)),
})

/**
 * Throws CONFLICT if the new name is taken or belongs to another number; PRECONDITION_FAILED if `ifVersion` is
 * outdated.
 */
export const updateFeature: Operation<FeatureRoutes['updateFeature']> = (ctx, { id, ifVersion, ...patch }) =>
  inTx(ctx, async (ctx) => {
    const row = await requireFeature(ctx, id, ctx.db.dialect.forUpdate)
    requireOwn(ctx, row, `feature ${id}`)
    requireVersion(ifVersion, id, row.version)
    const owner = patch.name === undefined ? undefined : numberOfName(patch.name)
    if (owner !== undefined && owner !== id) throw nameTaken(`The name '${patch.name}' belongs to feature ${owner}`)
    return { feature: featureOf(await write(ctx, row, patch)) }
  })
