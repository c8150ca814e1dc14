import { isDeepStrictEqual } from 'node:util'
import sql, { join, raw } from 'sql-template-tag'
import { erasedText, eraseIn, type IsToGo } from '../../ledger/erase.ts'
import type { Ctx } from '../ctx.ts'
import { replaceFoundBy } from '../run/found-by.ts'
import { activityIn, columns, type RunRow, stateOf, valuesOf } from '../run/row.ts'
import { replaceLabels } from '../run/save.ts'
import { eraseDocument, unindex } from './content.ts'

/** Erases the selected texts of a run. Returns whether there were any. */
export async function eraseRun(ctx: Ctx, id: number, isToGo: IsToGo): Promise<boolean> {
  const [row] = await ctx.db.query<RunRow>(
    sql`select ${columns} from runs where runs.id = ${id} ${ctx.db.dialect.forUpdate}`,
  )
  if (!row) return false
  const before = stateOf(row)
  const after = eraseIn(before, isToGo)
  const activity = activityAfter(row, isToGo)
  const gone = [
    await eraseDocument(ctx, row.document_id, isToGo),
    await eraseFiles(ctx, id, isToGo),
    await eraseMemo(ctx, id, isToGo),
    !isDeepStrictEqual(before, after),
    activity !== row.activity,
  ]
  if (!gone.includes(true)) return false
  const values = { ...valuesOf(after), activity, erased_at: ctx.now, version: row.version + 1 }
  const assignments = Object.entries(values).map(([name, value]) => sql`${raw(name)} = ${value}`)
  await ctx.db.query(sql`update runs set ${join(assignments)} where id = ${id}`)
  await replaceLabels(ctx, row, after.labels)
  await replaceFoundBy(ctx, row, before, after)
  await unindex(ctx, 'run', id)
  return true
}

function activityAfter(row: RunRow, isToGo: IsToGo): string | null {
  const activity = activityIn(row)
  if (activity === null) return null
  const { state, since, turnSince, ...doing } = activity
  if (isDeepStrictEqual(eraseIn(doing, isToGo), doing)) return row.activity
  return JSON.stringify({ state, since, ...(turnSince && { turnSince }) })
}

/** A file keeps its line counts, so the sums of its run stay the same. */
async function eraseFiles(ctx: Ctx, runRow: number, isToGo: IsToGo): Promise<boolean> {
  const files = await ctx.db.query<{ path: string }>(sql`select path from run_files where run_id = ${runRow}`)
  const isKept = (path: string) => path.startsWith(erasedText) || !isToGo(path, 'path')
  const gone = files.filter(({ path }) => !isKept(path))
  let n = files.filter(({ path }) => path.startsWith(erasedText)).length
  for (const { path } of gone) {
    const instead = `${erasedText} ${++n}`
    await ctx.db.query(sql`update run_files set path = ${instead} where run_id = ${runRow} and path = ${path}`)
  }
  return gone.length > 0
}

/** Erases what hooks have reported of a session since its last turn. */
async function eraseMemo(ctx: Ctx, runRow: number, isToGo: IsToGo): Promise<boolean> {
  const kept = await ctx.db.query<{ id: number; memo: string }>(
    sql`select id, memo from hook_sessions where run_row = ${runRow} and memo <> 'null'`,
  )
  const gone = kept.filter(({ memo }) => !isDeepStrictEqual(eraseIn(JSON.parse(memo), isToGo), JSON.parse(memo)))
  for (const { id } of gone) await ctx.db.query(sql`update hook_sessions set memo = 'null' where id = ${id}`)
  return gone.length > 0
}
