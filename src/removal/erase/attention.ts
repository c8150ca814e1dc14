import sql from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { listOf } from '../../frame/pieces.ts'
import { nameAfter, newNames } from '../../log/erased-name.ts'
import { eraseIn, type IsToGo } from '../../log/event.ts'
import { personHash } from '../../nouns/run/person.ts'

/** The columns of `attention` with texts. */
export const attentionTexts = ['check_name', 'branch', 'assignee', 'note'] as const

type Texts = Record<(typeof attentionTexts)[number], string | null>

/** Erases what was decided about runs that need attention. Returns the runs that had a text to erase. */
export async function eraseAttention({ db }: Ctx, runs: readonly number[], isToGo: IsToGo): Promise<Set<number>> {
  const rows = await db.query<Texts & { run_id: number }>(sql`
    select run_id, check_name, branch, assignee, note from attention where run_id in (${listOf(runs)})
    order by run_id ${db.dialect.forUpdate}`)
  const newName = await newNames(db)
  const gone = new Set<number>()
  for (const { run_id, ...before } of rows) {
    // The name stays that of the check, whose name is erased in the same way.
    const check_name = before.check_name && nameAfter(before.check_name, 'name', isToGo, newName)
    const after = { ...eraseIn(before, isToGo), check_name }
    if (attentionTexts.every((column) => after[column] === before[column])) continue
    await db.query(sql`update attention set check_name = ${after.check_name}, branch = ${after.branch},
      assignee = ${after.assignee}, assignee_person = ${personHash(after.assignee)}, note = ${after.note} where run_id = ${run_id}`)
    gone.add(run_id)
  }
  return gone
}
