import sql, { empty, raw } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { dropErased, followLog, hasMarked, lastEntry, lockIndex } from '../../find/follow.ts'
import type { Ctx, Operation } from '../../frame/ctx.ts'
import { idsOf, listOf } from '../../frame/pieces.ts'
import { forgetActors } from '../../log/actor.ts'
import { numberEvents } from '../../log/number.ts'
import { lastSeq } from '../../log/read.ts'
import { recordErasure } from '../../log/record.ts'
import { eraseFromEvents, sealNext } from '../../log/seal/seal.ts'
import type { EraseRoutes } from '../erase-routes.ts'
import { removeRemains } from '../remains.ts'
import { firstWithin, most, nextRows, ownersOf, rowBytes, type SlicedRun } from '../slice.ts'
import { eraseKeyEvents, eraseKeyFromRuns, eraseKeyRow } from './key.ts'
import { deriveModels, findNamed } from './models.ts'
import { eraseChecks, eraseFeatures, eraseSpecs, eraseTurns } from './others.ts'
import { type ErasePosition, placeIn, placeText, steps } from './place.ts'
import { eraseRuns } from './run.ts'
import { type EraseScope, type Noun, scopeOf } from './scope.ts'
import { eraseNames, eraseResponses } from './sides.ts'

/** How long a request works before it returns a cursor, in milliseconds. */
const budgetMs = 10_000
const erasers = { spec: eraseSpecs, check: eraseChecks, feature: eraseFeatures }

/**
 * Erases texts in slices, each in its own transaction: first rows, then their events, then the index of words, then
 * what is left in the file. It can be interrupted and called again at any point. Throws VALIDATION_ERROR and NOT_FOUND
 * like `scopeOf`; BAD_REQUEST for an invalid cursor; UNAVAILABLE and INSUFFICIENT_STORAGE like `Db.scrub`.
 */
export const erase: Operation<EraseRoutes['erase']> = async (ctx, { dryRun = false, cursor, ...asked }) => {
  const place = placeIn(cursor)
  const until = performance.now() + budgetMs
  // So that no later event repeats a text.
  let isReady = false
  while (!isReady && performance.now() < until) isReady = !(await removeRemains(ctx.db, ctx.now))
  await numberEvents(ctx.db)
  const scope = await scopeOf(ctx, asked)
  while (place.step !== 'done' && performance.now() < until) {
    if (await walkOn(ctx, scope, place, dryRun)) continue
    place.step = steps[steps.indexOf(place.step) + 1] ?? 'done'
    place.last = 0
    place.until = undefined
    if (dryRun && place.step === 'mark') place.step = 'done'
  }
  const hasMore = place.step !== 'done'
  return { erased: place.erased, hasMore, ...(hasMore && { nextCursor: placeText(place) }) }
}

/** Does a slice of a step. Returns whether the step continues. */
async function walkOn(ctx: Ctx, scope: EraseScope, place: ErasePosition, dryRun: boolean): Promise<boolean> {
  const { step } = place
  if (step === 'names') return eraseServerNames(ctx, scope, place, dryRun)
  if (step === 'events') return walkEvents(ctx, scope, place, dryRun)
  if (step === 'sides') return eraseSides(ctx, scope, place, dryRun)
  if (step === 'mark') return markUntil(ctx, place)
  if (step === 'index') return updateIndex(ctx, place)
  if (step === 'words') return forgetWords(ctx, place)
  if (step === 'scrub') return scrub(ctx)
  return walkRows(ctx, scope, place, step as Noun, dryRun)
}

async function walkRows(ctx: Ctx, scope: EraseScope, place: ErasePosition, noun: Noun, dryRun: boolean) {
  const { isToGo, isPersonToGo, key } = scope
  const where = scope.rows[noun]
  if (!where) return false
  const table = `${noun}s` as const
  place.until ??= (await ctx.db.query<{ id: number | null }>(sql`select max(id) as id from ${raw(table)}`))[0]?.id ?? 0
  const looked = await nextRows(ctx, table, place.last, place.until)
  const end = looked.at(-1)?.id
  if (end === undefined) return false
  const owned = scope.repeated?.[noun]
  const owners = owned ? await ownersOf(ctx, owned, place.last, end) : []
  const found = await ctx.db.query<SlicedRun>(sql`
    select id, project_id, ${rowBytes[table]} as bytes from ${raw(table)} where id > ${place.last} and id <= ${end}
      and (${where} ${owners.length > 0 ? sql`or id in (${listOf(owners)})` : empty})
    order by id limit ${most.rows}`)
  const rows = firstWithin(found)
  place.erased[table] += await slice(ctx, dryRun, async (ctx) => {
    await lockIndex(ctx.db)
    let count = 0
    for (const [id, some] of Map.groupBy(rows, ({ project_id }) => project_id)) {
      const own = { ...ctx, project: { id, slug: '' } }
      const ids = idsOf(some)
      if (key) count += await eraseKeyFromRuns(own, ids, key)
      else if (noun === 'run') count += await eraseRuns(own, ids, isToGo, isPersonToGo, owners)
      else if (noun === 'turn') count += await eraseTurnsOf(own, ids, scope)
      else count += await erasers[noun](own, ids, isToGo)
    }
    return count
  })
  const isAll = rows.length === found.length && found.length < most.rows
  place.last = isAll ? end : (rows.at(-1)?.id ?? end)
  return true
}

/**
 * Erases turns, and their runs once more if these have changed since: a turn that came after its run was erased gave it a
 * model, files and lines of its content. A later turn may still name the model, and its run is found by it.
 */
async function eraseTurnsOf(
  ctx: Ctx,
  ids: readonly number[],
  { isToGo, isPersonToGo, repeated }: EraseScope,
): Promise<number> {
  const runs = await ctx.db.query<{ id: number; is_erased: number }>(sql`
    select id, case when erased_at > updated_at then 1 else 0 end as is_erased from runs
    where id in (select t.run_id from turns t where t.id in (${listOf(ids)})) order by id ${ctx.db.dialect.forUpdate}`)
  const count = await eraseTurns(ctx, ids, isToGo)
  if (count === 0) return 0
  const named = await findNamed(ctx, idsOf(runs), isToGo)
  const late = idsOf(runs.filter(({ is_erased }) => is_erased === 0))
  await eraseRuns(ctx, late, isToGo, isPersonToGo, repeated?.run ? late : [])
  await deriveModels(ctx, named)
  return count
}

async function walkEvents(
  ctx: Ctx,
  { events: eventsOf, isToGo }: EraseScope,
  place: ErasePosition,
  dryRun: boolean,
): Promise<boolean> {
  if (place.last === 0) while (await sealNext(ctx.db));
  place.until ??= await lastSeq(ctx.db)
  const events = await eventsOf()
  const end = Math.min(place.last + (events.reads ?? place.until), place.until)
  if (end <= place.last) return false
  const found = await ctx.db.query<{ seq: number }>(events.next(place.last, end, most.rows))
  const seqs = found.map(({ seq }) => seq)
  place.erased.events += await slice(ctx, dryRun, (ctx) => eraseFromEvents(ctx.db, seqs, isToGo))
  place.last = found.length === most.rows ? (found.at(-1)?.seq ?? end) : end
  return true
}

/** Erases what belongs to no project, and then a key from what it recorded before its own row was erased. */
async function eraseServerNames(ctx: Ctx, scope: EraseScope, place: ErasePosition, dryRun: boolean): Promise<boolean> {
  const { key } = scope
  if (place.last === 0) {
    place.erased.others += await slice(ctx, dryRun, (ctx) => (key ? eraseKeyRow(ctx, key) : eraseNames(ctx, scope)))
    forgetActors(ctx)
  }
  return key !== undefined && !dryRun && walkRows(ctx, scope, place, 'run', dryRun)
}

/** Erases stored responses, and records the event of the erasure. */
async function eraseSides(ctx: Ctx, scope: EraseScope, place: ErasePosition, dryRun: boolean): Promise<boolean> {
  const { key } = scope
  if (key) place.erased.events += await slice(ctx, dryRun, (ctx) => eraseKeyEvents(ctx, key))
  place.erased.responses += await slice(ctx, dryRun, async (ctx) => {
    const responses = await eraseResponses(ctx, scope.projectId)
    await recordErasure(ctx, scope.projectId, { ...scope.recorded, erased: { ...place.erased, responses } })
    return responses
  })
  return false
}

/** Makes the index mark what was deleted. Erased texts are marked. */
async function markUntil({ db }: Ctx, place: ErasePosition): Promise<boolean> {
  place.until ??= await lastSeq(db)
  if (await hasMarked(db, place.until)) return false
  await followLog(db, sliceMs)
  return true
}

/** Removes the words of erased and deleted texts from the index. */
async function updateIndex({ db }: Ctx, place: ErasePosition): Promise<boolean> {
  place.until ??= await lastEntry(db)
  const last = await dropErased(db, { after: place.last, until: place.until }, sliceMs)
  place.last = last ?? place.last
  return last !== undefined
}

const wordTables = ['search_words', 'search_recent', 'spec_grams', 'feature_grams']

/** Makes the tables of words drop what they only mark as deleted. */
async function forgetWords({ db }: Ctx, place: ErasePosition): Promise<boolean> {
  const table = wordTables[place.last]
  if (table === undefined) return false
  if (!(await db.tx((tx) => tx.dialect.forgetWords(tx, table)))) place.last++
  return true
}

const sliceMs = 20

async function scrub({ scrub }: Ctx): Promise<false> {
  await scrub?.().catch((cause) => {
    if (!(cause instanceof ConductError)) throw cause
    const words = `All texts are erased, but their traces in the database files were not removed. ${cause.message}`
    throw new ConductError(cause.code, words, { cause, ...(cause.retryAfter && { retryAfter: cause.retryAfter }) })
  })
  return false
}

class Rehearsed extends Error {
  readonly count: number

  constructor(count: number) {
    super('This transaction only counts.')
    this.count = count
  }
}

/** Runs a slice. A dry run counts what the slice would do, and rolls it back. */
async function slice(ctx: Ctx, dryRun: boolean, work: (ctx: Ctx) => Promise<number>): Promise<number> {
  try {
    return await ctx.db.tx(async (tx) => {
      const count = await work({ ...ctx, db: tx })
      if (dryRun) throw new Rehearsed(count)
      return count
    })
  } catch (error) {
    if (error instanceof Rehearsed) return error.count
    throw error
  }
}
