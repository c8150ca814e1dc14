import sql, { raw, type Sql } from 'sql-template-tag'
import type { Tx } from '../engine/db.ts'
import { lockIndex } from '../find/follow.ts'
import { type Ctx, systemCtx } from '../frame/ctx.ts'
import { deleteDocuments, documentsOf } from '../frame/document.ts'
import { keepGrams } from '../frame/grams.ts'
import { idsOf, listOf } from '../frame/pieces.ts'
import { numberEvents } from '../log/number.ts'
import { lastSeq } from '../log/read.ts'
import { recordErasure } from '../log/record.ts'
import { eraseFromEvents, readSize, sealNext } from '../log/seal/seal.ts'
import { deleteDiffTexts } from '../nouns/run/diff/add.ts'
import { removeRemains } from './remains.ts'
import { bytesOf, firstWithin, most, nextParts, type RunPart } from './slice.ts'

/** How many events one transaction erases. */
const eventsAtOnce = 50
/** How long a request that began before the deletion may still write to the project, in milliseconds. */
const graceMs = 5 * 60_000

/** How far the log of a deleted project is erased. Another process starts again. */
interface EmptyingPosition {
  project: number
  last: number
  erased: number
  /**
   * The end of the current pass over the log, fixed when the pass starts, because writers may never stop; and whether
   * by then nobody could write to the project.
   */
  pass: { until: number; isLast: boolean } | undefined
}

export const newPlace = (): EmptyingPosition => ({ project: 0, last: 0, erased: 0, pass: undefined })

/** Removes a slice of what was deleted but is still there. Returns whether there is more to do now. */
export async function emptyNext(db: Tx, now: string, place: EmptyingPosition): Promise<boolean> {
  // First, because this adds to the logs of projects.
  if (await removeRemains(db, now)) return true
  const [gone] = await db.query<{ id: number; deleted_at: string }>(sql`
    select id, deleted_at from projects where deleted_at is not null and emptied_at is null and slug not like '~%'
    order by id limit 1`)
  if (!gone) return false
  if (place.project !== gone.id) Object.assign(place, newPlace(), { project: gone.id })
  const ctx = systemCtx(db, now, gone.id)
  for (const step of steps) if (await step(ctx)) return true
  const isOver = Date.parse(now) - Date.parse(gone.deleted_at) >= graceMs
  if (!place.pass) await numberEvents(db)
  place.pass ??= { until: await lastSeq(db), isLast: isOver }
  const { until, isLast } = place.pass
  if (await eraseEvents(ctx, place, until)) return true
  place.pass = undefined
  if (!isLast) return isOver
  await db.tx((tx) => tx.query(sql`update projects set emptied_at = ${now} where id = ${gone.id}`))
  return true
}

async function removeRuns(ctx: Ctx): Promise<boolean> {
  const runs = await nextRuns(ctx)
  if (runs.length === 0) return false
  await whileIndexWaits(ctx, async (ctx) => {
    const locked = await lockRows(ctx, 'run', runs)
    if (locked.length > 0) await removeLocked(ctx, locked)
  })
  return true
}

async function removeLocked(ctx: Ctx, runs: Row[]): Promise<void> {
  const ids = idsOf(runs)
  const turns = await nextParts(ctx, 'turns', ids)
  const checks = await nextParts(ctx, 'checks', ids)
  await deleteDiffTexts(ctx, idsOf(turns.parts))
  await removeParts(ctx, 'turn', turns.parts, ['prompt_id', 'answer_id'])
  await removeParts(ctx, 'check', checks.parts, ['document_id'])
  if (!turns.isLast || !checks.isLast) return
  const open = await ctx.db.query<{ id: number }>(
    sql`delete from open_turns where run_id in (${listOf(ids)}) returning id`,
  )
  await removeRows(ctx, 'turn', open)
  await removeRows(ctx, 'run', runs)
}

async function removeParts(ctx: Ctx, noun: 'turn' | 'check', parts: RunPart[], columns: string[]): Promise<void> {
  if (parts.length === 0) return
  const ids = listOf(idsOf(parts))
  for (const column of columns) {
    await ctx.db.query(sql`delete from documents
      where id in (select ${raw(column)} from ${raw(`${noun}s`)} where id in (${ids}))`)
  }
  await removeRows(ctx, noun, parts)
}

/** Some runs that fit into one transaction by their contents. */
async function nextRuns(ctx: Ctx): Promise<Row[]> {
  return firstWithin(
    await ctx.db.query<Row & { bytes: number }>(sql`
      select runs.id, runs.document_id, ${bytesOf('runs.document_id')} as bytes
      from runs where runs.project_id = ${ctx.project.id} limit ${most.rows}`),
  )
}

async function removeSpecs(ctx: Ctx): Promise<boolean> {
  const specs = await ctx.db.query<Row & { title: string | null }>(
    sql`select id, title from specs where ${ours(ctx)} limit ${most.rows}`,
  )
  if (specs.length === 0) return false
  await whileIndexWaits(ctx, async (ctx) => {
    await lockRows(ctx, 'spec', specs)
    for (const { id, title } of specs) {
      const versions = await ctx.db.query<{ document_id: number | null }>(
        sql`select document_id from spec_versions where spec_id = ${id}`,
      )
      await deleteDocuments(ctx, documentsOf(versions))
      await keepGrams(ctx, 'spec', id, title, undefined)
    }
    await removeRows(ctx, 'spec', specs)
  })
  return true
}

async function removeFeatures(ctx: Ctx): Promise<boolean> {
  const features = await ctx.db.query<Row>(sql`select id from features where ${ours(ctx)} limit ${most.rows}`)
  if (features.length === 0) return false
  await whileIndexWaits(ctx, async (ctx) => {
    for (const { id } of features) await keepGrams(ctx, 'feature', id, '', undefined)
    await removeRows(ctx, 'feature', features)
    // Last, because only now there are no late links.
    await ctx.db.query(sql`delete from feature_totals where feature_id in (${listOf(idsOf(features))})`)
  })
  return true
}

const removeHookSessions = (ctx: Ctx) => removeSome(ctx, sql`hook_sessions`, sql`id`)
const removeTotals = (ctx: Ctx) => removeSome(ctx, sql`spec_totals`, sql`spec_id`)
const removeCounters = (ctx: Ctx) => removeSome(ctx, sql`counters`, sql`noun`)

/** Each function removes a slice of one kind of rows, if there are any. */
const steps = [removeRuns, removeSpecs, removeFeatures, removeHookSessions, removeTotals, removeCounters]

/** Removes the project's rows of a table, some values of `key` at a time. */
async function removeSome(ctx: Ctx, table: Sql, key: Sql): Promise<boolean> {
  const some = sql`select ${key} from ${table} where ${ours(ctx)} limit ${most.looked}`
  if ((await ctx.db.query(some)).length === 0) return false
  await ctx.db.tx((tx) => tx.query(sql`delete from ${table} where ${ours(ctx)} and ${key} in (${some})`))
  return true
}

const ours = ({ project }: Ctx) => sql`project_id = ${project.id}`

interface Row {
  id: number
  document_id?: number | null
}

const whileIndexWaits = (ctx: Ctx, work: (ctx: Ctx) => Promise<void>) =>
  ctx.db.tx(async (tx) => {
    await lockIndex(tx)
    await work({ ...ctx, db: tx })
  })

/** The rows as they are now, locked: a request that began before the deletion may still add documents to them. */
async function lockRows({ db }: Ctx, noun: 'run' | 'spec', rows: { id: number }[]): Promise<Row[]> {
  const ids = listOf(idsOf(rows))
  return db.query<Row>(sql`
    select id, document_id from ${raw(`${noun}s`)} where id in (${ids}) order by id ${db.dialect.forUpdate}`)
}

/** Removes rows with their documents and dependent rows, and makes the index of words drop them. */
async function removeRows({ db }: Ctx, noun: 'run' | 'turn' | 'spec' | 'check' | 'feature', rows: Row[]) {
  if (rows.length === 0) return
  const ids = listOf(idsOf(rows))
  await deleteDocuments({ db }, documentsOf(rows))
  await db.query(sql`delete from ${raw(`${noun}s`)} where id in (${ids})`)
  await db.query(sql`update search_entries set is_stale = 1 where type = ${noun} and subject_id in (${ids})`)
  if (noun === 'turn') await db.query(sql`update search_entries set is_stale = 1 where turn_id in (${ids})`)
}

/**
 * Erases every text of the project's events up to `end`, except those of its keys, which stay listed. Returns whether
 * there is more to do.
 */
async function eraseEvents(ctx: Ctx, place: EmptyingPosition, end: number): Promise<boolean> {
  const { db, project } = ctx
  if ((await readSize(db)) < end) {
    await sealNext(db)
    return true
  }
  const until = Math.min(place.last + most.looked, end)
  if (until <= place.last) return false
  // One walk along the index for each value of its second column: together, they would have to be sorted first.
  const walkOf = (isAppend: number) => sql`select * from (select e.seq from events e
    where ${ours(ctx)} and e.is_append = ${isAppend} and e.seq > ${place.last} and e.seq <= ${until}
      and e.type not like 'key.%' and e.type not like 'erasure.%' and e.changes not like '[%'
      and exists (select 1 from seal_salts s where s.seq = e.seq and length(s.salts) > 0)
    order by e.seq limit ${eventsAtOnce}) as walk`
  const found = await db.query<{ seq: number }>(
    sql`select seq from (${walkOf(0)} union all ${walkOf(1)}) as walks order by seq limit ${eventsAtOnce}`,
  )
  place.last = found.length === eventsAtOnce ? (found.at(-1)?.seq ?? until) : until
  const seqs = found.map(({ seq }) => seq)
  place.erased += await db.tx((tx) => eraseFromEvents(tx, seqs, () => true))
  if (until < end || found.length === eventsAtOnce || place.erased === 0) return true
  const { erased } = place
  place.erased = 0
  await db.tx((tx) => recordErasure({ ...ctx, db: tx }, project.id, { what: 'project', erased: { events: erased } }))
  return true
}
