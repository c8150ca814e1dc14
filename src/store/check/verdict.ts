import sql from 'sql-template-tag'
import type { CheckResult } from '../../api/check.ts'
import { type Counted, verdictOf } from '../../ledger/verdict.ts'
import { type Ctx, keyIdOf } from '../ctx.ts'

/** What a verdict needs to know of its run. */
interface Judged {
  id: number
  created_by: number | null
  work_version: number
}

/** Who acts without a key counts as one. */
const keyOrLocal = (keyId: number | null) => keyId ?? 0

/** The verdict that the checks give on a run as they are in this transaction: the newest of each name. */
export async function findVerdict(ctx: Ctx, run: Judged) {
  const rows = await ctx.db.query<{
    result: CheckResult
    result_by: number | null
    work_version: number
    executed: number
    authored: number
  }>(sql`
    select c.result, c.result_by, c.work_version,
      case when c.command is null or c.exit_code is null then 0 else 1 end as executed,
      case when exists (select 1 from run_authors a where a.run_id = c.run_id and a.key_id = coalesce(c.result_by, 0))
        then 1 else 0 end as authored
    from checks c where c.id in (select max(n.id) from checks n where n.run_id = ${run.id} group by n.name)`)
  const counted = rows.map(
    (row): Counted => ({
      result: row.result,
      workVersion: row.work_version,
      executed: row.executed === 1,
      independent: row.authored === 0 && keyOrLocal(row.result_by) !== keyOrLocal(run.created_by),
    }),
  )
  return verdictOf(counted, run.work_version)
}

/** Notes that the caller changed a run's work, where it is not its creator: its checks are no longer independent. */
export async function noteAuthor(ctx: Ctx, run: Judged): Promise<void> {
  const author = keyOrLocal(keyIdOf(ctx))
  if (author === keyOrLocal(run.created_by)) return
  await ctx.db.query(sql`insert into run_authors (run_id, key_id) values (${run.id}, ${author}) on conflict do nothing`)
}
