import sql from 'sql-template-tag'
import { type Ctx, inTx, type Operation, requireVersion } from '../frame/ctx.ts'
import { deleteDocuments, findDigests } from '../frame/document.ts'
import { listOf, piecesOf } from '../frame/pieces.ts'
import { vanished } from '../log/event.ts'
import { recordAll } from '../log/record.ts'
import { openCheck } from '../nouns/run/check/check.ts'
import type { CheckRoutes } from '../nouns/run/check/routes.ts'
import { type CheckRow, columns, eventOf, factsOf, stateOf } from '../nouns/run/check/row.ts'
import { settle } from '../nouns/run/check/settle.ts'

/**
 * Deletes checks of runs that are being deleted, at most `limit`, with an event for each. Returns how many. The caller has
 * locked the runs.
 */
export async function deleteChecksOf(
  ctx: Ctx,
  runs: { id: number }[],
  limit = Number.MAX_SAFE_INTEGER,
): Promise<number> {
  const rows = await ctx.db.query<CheckRow>(sql`
    select ${columns} from checks where checks.run_id in (${listOf(runs.map(({ id }) => id))})
    order by checks.run_id, checks.created_at, checks.id limit ${limit} ${ctx.db.dialect.forUpdate}`)
  await removeChecks(ctx, rows)
  return rows.length
}

/** Deletes these checks, with an event for each. */
export async function removeChecks(ctx: Ctx, rows: CheckRow[]): Promise<void> {
  const documents = rows.map(({ document_id }) => document_id)
  const digests = await findDigests(ctx, documents)
  for (const some of piecesOf(rows)) {
    await ctx.db.query(sql`delete from checks where id in (${listOf(some.map(({ id }) => id))})`)
  }
  await deleteDocuments(ctx, documents)
  const changesOf = (row: CheckRow) =>
    vanished({
      ...factsOf(row.run, stateOf(row)),
      linkedTo: row.linked_to,
      content: digests.get(row.document_id) ?? null,
    })
  await recordAll(
    ctx,
    rows.map((row) => eventOf(ctx, 'deleted', row, changesOf(row))),
  )
}

/** Throws PRECONDITION_FAILED if `ifVersion` is outdated; NOT_FOUND. */
export const deleteCheck: Operation<CheckRoutes['deleteCheck']> = (ctx, { checkId, ifVersion }) =>
  inTx(ctx, async (ctx) => {
    const { row, run } = await openCheck(ctx, checkId)
    requireVersion(ifVersion, row.id, row.version)
    await removeChecks(ctx, [row])
    await settle(ctx, run)
    return { message: 'Check deleted successfully' }
  })
