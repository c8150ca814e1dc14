import sql from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { listOf } from '../../frame/pieces.ts'
import { newNames } from '../../log/erased-name.ts'
import { eraseIn, type IsToGo, isErasedName } from '../../log/event.ts'
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
    const { check_name } = before
    // The name stays that of the check, whose name is erased in the same way.
    const isGone = check_name !== null && isToGo(check_name, 'name') && !isErasedName(check_name)
    const after = { ...eraseIn(before, isToGo), check_name: isGone ? newName(check_name) : check_name }
    if (attentionTexts.every((column) => after[column] === before[column])) continue
    await db.query(sql`update attention set check_name = ${after.check_name}, branch = ${after.branch},
      assignee = ${after.assignee}, assignee_person = ${personHash(after.assignee)}, note = ${after.note} where run_id = ${run_id}`)
    gone.add(run_id)
  }
  return gone
}
