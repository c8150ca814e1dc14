import sql from 'sql-template-tag'
import type { CheckResult } from '../../api/check.ts'
import { type Counted, verdictOf, type WorkState } from '../../ledger/verdict.ts'
import type { Ctx } from '../ctx.ts'

/** The fields of a run that its verdict depends on. */
interface Judged {
  id: number
  created_by: number
  work_version: number
}

/**
 * The verdict of the checks on a run with that git state, as seen by this transaction. The newest check of each name by
 * each actor counts.
 */
export async function findVerdict(ctx: Ctx, run: Judged, git: WorkState | null) {
  const rows = await ctx.db.query<{
    name: string
    result: CheckResult
    result_by: number
    work_version: number
    git_tree: string | null
    git_commit: string | null
    git_dirty: number | null
    executed: number
    written: number
  }>(sql`
    select c.name, c.result, c.result_by, c.work_version, c.git_tree, c.git_commit, c.git_dirty,
      case when c.command is null or c.exit_code is null then 0 else 1 end as executed,
      case when exists (select 1 from run_writers a where a.run_id = c.run_id and a.actor_id = c.result_by)
        then 1 else 0 end as written
    from checks c
    where c.id in (select max(n.id) from checks n where n.run_id = ${run.id} group by n.name, n.result_by)
    order by c.id`)
  const counted = rows.map(
    (row): Counted => ({
      name: row.name,
      result: row.result,
      state: { tree: row.git_tree, commit: row.git_commit, dirty: row.git_dirty === null ? null : row.git_dirty === 1 },
      workVersion: row.work_version,
      executed: row.executed === 1,
      independent: row.written === 0 && row.result_by !== run.created_by,
    }),
  )
  return verdictOf(counted, { state: git ?? {}, version: run.work_version })
}

/**
 * Records that the caller wrote part of a run, so their checks are not independent of it. Returns whether this is new.
 */
export async function noteWriter(ctx: Ctx, run: Judged): Promise<boolean> {
  if (ctx.actor.id === run.created_by) return false
  const added = await ctx.db.query(sql`
    insert into run_writers (run_id, actor_id) values (${run.id}, ${ctx.actor.id}) on conflict do nothing returning run_id`)
  return added.length > 0
}
