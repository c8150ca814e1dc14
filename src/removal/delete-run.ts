import sql from 'sql-template-tag'
import { type Ctx, inTx, type Operation, requireVersion } from '../frame/ctx.ts'
import { deleteDocuments, findDigests } from '../frame/document.ts'
import { listOf, piecesOf } from '../frame/pieces.ts'
import { vanished } from '../log/event.ts'
import { recordAll } from '../log/record.ts'
import { countLinks } from '../nouns/feature/totals.ts'
import { deleteTurnsOf } from '../nouns/run/append-turn.ts'
import type { RunRoutes } from '../nouns/run/routes.ts'
import { columns, eventOf, factsOf, type RunRow, recordRun } from '../nouns/run/row.ts'
import { openRun } from '../nouns/run/take-lease.ts'
import { addToTotals, moveTotals } from '../nouns/spec/totals.ts'
import { deleteChecksOf } from './delete-check.ts'

/** Deletes runs that the caller has locked, with their checks, turns, links and hook sessions. Each gets its events. */
export async function removeRuns(ctx: Ctx, rows: RunRow[]): Promise<void> {
  if (rows.length === 0) return
  const documents = rows.map(({ document_id }) => document_id)
  const digests = await findDigests(ctx, documents)
  await deleteChecksOf(ctx, rows)
  await deleteTurnsOf(ctx, rows)
  await forgetAttempts(ctx, rows)
  await countLinks(ctx, sql`l.run_id in (${listOf(rows.map(({ id }) => id))})`, -1)
  for (const some of piecesOf(rows)) {
    const ids = listOf(some.map(({ id }) => id))
    // They have texts of the turn in progress.
    await ctx.db.query(sql`delete from hook_sessions where run_row in (${ids})`)
    await ctx.db.query(sql`delete from runs where id in (${ids})`)
  }
  await deleteDocuments(ctx, documents)
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

/** Later attempts no longer refer to deleted runs. Each that stays gets an event. */
async function forgetAttempts(ctx: Ctx, rows: RunRow[]): Promise<void> {
  const gone = new Map(rows.map((row) => [row.id, row.run_id]))
  const later = await ctx.db.query<RunRow & { retry_of: number }>(sql`
    select ${columns}, runs.retry_of from runs where runs.retry_of in (${listOf([...gone.keys()])})
    order by runs.id ${ctx.db.dialect.forUpdate}`)
  for (const { retry_of, ...retry } of later) {
    if (gone.has(retry.id)) continue
    const [saved] = await ctx.db.query<RunRow>(sql`
      update runs set retry_of = null, version = version + 1, updated_at = ${ctx.now}, updated_by = ${ctx.actor.id}
      where id = ${retry.id} returning ${columns}`)
    await moveTotals(ctx, retry, saved ?? retry)
    await recordRun(ctx, 'updated', retry, { retryOf: [gone.get(retry_of), null] })
  }
}

/**
 * Deletes a run with its checks, turns and links. Throws PRECONDITION_FAILED if `ifVersion` is outdated; LEASE_HELD;
 * LEASE_LOST; NOT_FOUND.
 */
export const deleteRun: Operation<RunRoutes['deleteRun']> = (ctx, { runId, ifVersion, leaseToken }) =>
  inTx(ctx, async (ctx) => {
    const { row } = await openRun(ctx, runId, leaseToken, { deletes: true })
    requireVersion(ifVersion, row.id, row.version)
    await removeRuns(ctx, [row])
    return { message: 'Run deleted successfully' }
  })
