import sql, { raw } from 'sql-template-tag'
import { type Ctx, inTx, type Operation, requireVersion } from '../frame/ctx.ts'
import { deleteDocuments, documentsOf, findDigests } from '../frame/document.ts'
import { idsOf, listOf, piecesOf } from '../frame/pieces.ts'
import { openRemains } from '../frame/remains.ts'
import { vanished } from '../log/event.ts'
import { recordAll } from '../log/record.ts'
import { countLinks } from '../nouns/feature/totals.ts'
import { deleteTurns } from '../nouns/run/append-turn.ts'
import { clearAttention } from '../nouns/run/attention/row.ts'
import { deleteOpenTurns } from '../nouns/run/open-turn.ts'
import type { RunRoutes } from '../nouns/run/routes.ts'
import { columns, eventOf, factsOf, type RunRow, recordRun } from '../nouns/run/row.ts'
import { openRun } from '../nouns/run/take-lease.ts'
import { addToTotals, moveTotals } from '../nouns/spec/totals.ts'
import { removeChecks } from './delete-check.ts'
import { countFitting, most, nextParts } from './slice.ts'

/** Deletes runs that the caller has locked, with all that belongs to them. Each row gets its event. */
export async function removeRuns(ctx: Ctx, rows: RunRow[]): Promise<void> {
  if (rows.length === 0) return
  while (await removeSome(ctx, rows));
  await recordDeleted(ctx, rows)
  await removeRows(ctx, rows)
}

/**
 * Makes a run vanish that is too large for one transaction: its remains are deleted in slices (`remains.ts`). The caller
 * has locked it.
 */
export async function hideRun(ctx: Ctx, row: RunRow): Promise<void> {
  await removeSome(ctx, [row])
  await recordDeleted(ctx, [row])
  // The rows that lists and suggestions find it by. Each run has a limited number of them.
  for (const table of ['run_labels', 'run_commits', 'run_links', 'run_models']) {
    await ctx.db.query(sql`delete from ${raw(table)} where run_id = ${row.id}`)
  }
  await ctx.db.query(sql`delete from hook_sessions where run_row = ${row.id}`)
  await ctx.db.query(sql`
    update runs set project_id = ${await openRemains(ctx)}, judged = 1, lease_expires_at = null, updated_by = ${ctx.actor.id}
    where id = ${row.id}`)
}

/** Deletes a slice of what belongs to runs. Returns whether there is more. */
export async function removeSome(ctx: Ctx, rows: RunRow[]): Promise<boolean> {
  await deleteOpenTurns(ctx, rows)
  let isMore = false
  for (const remove of [removeAttentionOf, removeChecksOf, removeTurnsOf, forgetAttempts, removeLinksOf]) {
    isMore = (await remove(ctx, rows)) || isMore
  }
  return isMore
}

async function removeAttentionOf(ctx: Ctx, rows: RunRow[]): Promise<boolean> {
  await clearAttention(ctx, idsOf(rows))
  return false
}

async function removeChecksOf(ctx: Ctx, rows: RunRow[]): Promise<boolean> {
  const { parts, isLast } = await nextParts(ctx, 'checks', idsOf(rows))
  await removeChecks(ctx, idsOf(parts))
  return !isLast
}

async function removeTurnsOf(ctx: Ctx, rows: RunRow[]): Promise<boolean> {
  const { parts, isLast } = await nextParts(ctx, 'turns', idsOf(rows))
  await deleteTurns(ctx, rows, idsOf(parts))
  return !isLast
}

/** Later attempts no longer refer to deleted runs. Each that stays gets an event. */
async function forgetAttempts(ctx: Ctx, rows: RunRow[]): Promise<boolean> {
  const gone = new Map(rows.map((row) => [row.id, row.run_id]))
  const later = await ctx.db.query<RunRow & { retry_of: number }>(sql`
    select ${columns}, runs.retry_of from runs where runs.retry_of in (${listOf([...gone.keys()])})
    order by runs.id limit ${most.parts} ${ctx.db.dialect.forUpdate}`)
  for (const { retry_of, ...retry } of later) {
    const [saved] = await ctx.db.query<RunRow>(sql`
      update runs set retry_of = null, version = version + 1, updated_at = ${ctx.now}, updated_by = ${ctx.actor.id}
      where id = ${retry.id} returning ${columns}`)
    // One that is deleted, too, is counted and recorded as it is.
    if (gone.has(retry.id) || retry.project_id !== ctx.project.id) continue
    await moveTotals(ctx, retry, saved ?? retry)
    await recordRun(ctx, 'updated', retry, { retryOf: [gone.get(retry_of), null] })
  }
  return later.length === most.parts
}

/** Removes links to features, and counts them out of the totals of the features. */
async function removeLinksOf(ctx: Ctx, rows: RunRow[]): Promise<boolean> {
  const ids = listOf(idsOf(rows))
  const links = await ctx.db.query<{ run_id: number; feature_id: number }>(sql`
    select run_id, feature_id from run_features where run_id in (${ids})
    order by run_id, feature_id limit ${most.links}`)
  const last = links.at(-1)
  if (!last) return false
  const areThese = sql`l.run_id in (${ids}) and (l.run_id, l.feature_id) <= (${last.run_id}, ${last.feature_id})`
  await countLinks(ctx, areThese, -1)
  await ctx.db.query(sql`delete from run_features as l where ${areThese}`)
  return links.length === most.links
}

async function recordDeleted(ctx: Ctx, rows: RunRow[]): Promise<void> {
  const digests = await findDigests(ctx, documentsOf(rows))
  await addToTotals(
    ctx,
    rows.map((row) => [row, -1]),
  )
  const changesOf = (row: RunRow) => vanished({ ...factsOf(row), content: digests.get(row.document_id) ?? null })
  await recordAll(
    ctx,
    rows.map((row) => eventOf(ctx, 'deleted', row, changesOf(row))),
  )
}

/** Deletes runs of which nothing else is left. */
export async function removeRows(ctx: Ctx, rows: RunRow[]): Promise<void> {
  for (const some of piecesOf(rows)) {
    const ids = listOf(idsOf(some))
    // They have texts of the turn in progress.
    await ctx.db.query(sql`delete from hook_sessions where run_row in (${ids})`)
    await ctx.db.query(sql`delete from runs where id in (${ids})`)
  }
  await deleteDocuments(ctx, documentsOf(rows))
}

/**
 * Deletes a run with its checks, turns and links. Throws PRECONDITION_FAILED if `ifVersion` is outdated; LEASE_HELD;
 * LEASE_LOST; NOT_FOUND.
 */
export const deleteRun: Operation<RunRoutes['deleteRun']> = (ctx, { runId, ifVersion, leaseToken }) =>
  inTx(ctx, async (ctx) => {
    const { row } = await openRun(ctx, runId, leaseToken, { deletes: true })
    requireVersion(ifVersion, row.id, row.version)
    const isSmall = (await countFitting(ctx, [row.id], false)) > 0
    await (isSmall ? removeRuns(ctx, [row]) : hideRun(ctx, row))
    return { message: 'Run deleted successfully' }
  })
