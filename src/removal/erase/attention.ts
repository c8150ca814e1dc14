import { isDeepStrictEqual } from 'node:util'
import sql, { raw } from 'sql-template-tag'
import { columnsOfKind } from '../../contract/stored.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { listOf } from '../../frame/pieces.ts'
import { assigned } from '../../frame/stored.ts'
import { nameAfter, newNames } from '../../log/erased-name.ts'
import { eraseIn, type IsToGo } from '../../log/event.ts'
import { rowFields } from '../../nouns/run/attention/fields.ts'
import type { AttentionColumns } from '../../nouns/run/attention/row.ts'
import { personHash } from '../../nouns/run/person.ts'

/** The columns of `attention` with texts. */
export const attentionTexts = columnsOfKind(rowFields, 'text')

/** The texts of a row. Those that are only erased need no type. */
interface AttentionTexts extends Pick<AttentionColumns, 'check_name' | 'assignee'> {
  run_id: number
}

/** Erases what was decided about runs that need attention. Returns the runs that had a text to erase. */
export async function eraseAttention({ db }: Ctx, runs: readonly number[], isToGo: IsToGo): Promise<Set<number>> {
  const rows = await db.query<AttentionTexts>(sql`
    select run_id, ${raw(attentionTexts.join(', '))} from attention where run_id in (${listOf(runs)})
    order by run_id ${db.dialect.forUpdate}`)
  const newName = await newNames(db)
  const gone = new Set<number>()
  for (const { run_id, ...before } of rows) {
    // The name stays that of the check, whose name is erased in the same way.
    const check_name = before.check_name && nameAfter(before.check_name, 'name', isToGo, newName)
    const after = { ...eraseIn(before, isToGo), check_name }
    if (isDeepStrictEqual(after, before)) continue
    const values = { ...after, assignee_person: personHash(after.assignee) }
    await db.query(sql`update attention set ${assigned(values)} where run_id = ${run_id}`)
    gone.add(run_id)
  }
  return gone
}
