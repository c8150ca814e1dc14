import sql, { join } from 'sql-template-tag'
import type { TurnFields } from '../../api/turn.ts'
import type { FileChanges } from '../../api/work.ts'
import { most } from '../../ledger/turn.ts'
import type { Ctx, Operation } from '../ctx.ts'
import { type RunRow, requireRun } from './row.ts'

/** The files that a run changed, from its turns. The last turn that names a file counts. */

export async function keepFiles(ctx: Ctx, run: RunRow, files: NonNullable<TurnFields['files']>): Promise<void> {
  const last = new Map(files.map((file) => [file.path, file]))
  if (last.size === 0) return
  const rows = [...last.values()].map(
    ({ path, insertions = null, deletions = null }) => sql`(${run.id}, ${path}, ${insertions}, ${deletions})`,
  )
  await ctx.db.query(sql`
    insert into run_files (run_id, path, insertions, deletions) values ${join(rows)}
    on conflict (run_id, path) do update set insertions = excluded.insertions, deletions = excluded.deletions`)
}

/** The totals. Files with unknown lines add none. */
export async function changesOf(ctx: Ctx, run: RunRow): Promise<FileChanges> {
  const [sum] = await ctx.db.query<{ files: number; insertions: number | null; deletions: number | null }>(sql`
    select count(*) as files, cast(sum(insertions) as double precision) as insertions,
      cast(sum(deletions) as double precision) as deletions from run_files where run_id = ${run.id}`)
  const { files = 0, insertions = null, deletions = null } = sum ?? {}
  const atMost = (lines: number) => Math.min(lines, most.count)
  return {
    files,
    ...(insertions !== null && { insertions: atMost(insertions) }),
    ...(deletions !== null && { deletions: atMost(deletions) }),
  }
}

/** Throws NOT_FOUND if the project has no such run. */
export const listRunFiles: Operation<'listRunFiles'> = async (ctx, { runId, limit }) => {
  const run = await requireRun(ctx, runId)
  const rows = await ctx.db.query<{ path: string; insertions: number | null; deletions: number | null }>(sql`
    select path, insertions, deletions from run_files where run_id = ${run.id}
    order by coalesce(insertions, 0) + coalesce(deletions, 0) desc, path limit ${limit}`)
  const { files: total = 0 } = await changesOf(ctx, run)
  const files = rows.map(({ path, insertions, deletions }) => ({
    path,
    ...(insertions !== null && { insertions }),
    ...(deletions !== null && { deletions }),
  }))
  return { files, meta: { total } }
}
