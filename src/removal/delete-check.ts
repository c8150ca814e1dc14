import sql from 'sql-template-tag'
import { type Ctx, inTx, type Operation, requireVersion } from '../frame/ctx.ts'
import { deleteDocuments, documentsOf, findDigests } from '../frame/document.ts'
import { listOf } from '../frame/pieces.ts'
import { vanished } from '../log/event.ts'
import { recordAll } from '../log/record.ts'
import { openCheck } from '../nouns/run/check/check.ts'
import type { CheckRoutes } from '../nouns/run/check/routes.ts'
import { type CheckRow, columns, eventOf, factsOf, stateOf } from '../nouns/run/check/row.ts'
import { settle } from '../nouns/run/check/settle.ts'

/** Deletes checks, with an event for each. The caller has locked their runs. */
export async function removeChecks(ctx: Ctx, ids: number[]): Promise<void> {
  if (ids.length === 0) return
  const rows = await ctx.db.query<CheckRow>(sql`
    select ${columns} from checks where checks.id in (${listOf(ids)})
    order by checks.run_id, checks.created_at, checks.id ${ctx.db.dialect.forUpdate}`)
  const documents = documentsOf(rows)
  const digests = await findDigests(ctx, documents)
  await ctx.db.query(sql`delete from checks where id in (${listOf(ids)})`)
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
    await removeChecks(ctx, [row.id])
    await settle(ctx, run)
    return { message: 'Check deleted successfully' }
  })
