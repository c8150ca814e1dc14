import sql, { type Sql } from 'sql-template-tag'
import type { CheckResult } from '../../api/check.ts'
import { type Counted, countingOf, isCurrent, verdictOf, type WorkState } from '../../ledger/verdict.ts'
import type { Ctx } from '../ctx.ts'
import { listOf } from '../pieces.ts'

/** The fields of a run that its verdict depends on. */
interface Judged {
  id: number
  created_by: number
  work_version: number
}

interface JudgedRow {
  id: number
  run_id: number
  name: string
  result: CheckResult
  result_by: number
  work_version: number
  git_tree: string | null
  git_commit: string | null
  git_dirty: number | null
  executed: number
  written: number
}

/** The columns of a JudgedRow, of checks `c`. */
const columns = sql`c.id, c.run_id, c.name, c.result, c.result_by, c.work_version, c.git_tree, c.git_commit, c.git_dirty,
  case when c.command is null or c.exit_code is null then 0 else 1 end as executed,
  case when exists (select 1 from run_writers a where a.run_id = c.run_id and a.actor_id = c.result_by)
    then 1 else 0 end as written`

/** The ids of the newest checks of each name by each actor on some runs. Imported checks may arrive in any order. */
const newestOf = (runs: Sql) => sql`select max(n.id) from checks n
  join (select run_id, name, result_by, max(created_at) as at from checks where run_id in (${runs})
    group by run_id, name, result_by) as last
  on n.run_id = last.run_id and n.created_at = last.at and n.name = last.name and n.result_by = last.result_by
  group by n.run_id, n.name, n.result_by`

const countedOf = (row: JudgedRow, createdBy: number): Counted => ({
  name: row.name,
  result: row.result,
  state: { tree: row.git_tree, commit: row.git_commit, dirty: row.git_dirty === null ? null : row.git_dirty === 1 },
  workVersion: row.work_version,
  executed: row.executed === 1,
  independent: row.written === 0 && row.result_by !== createdBy,
})

/**
 * The verdict of the checks on a run with that git state, as seen by this transaction. The newest check of each name by
 * each actor counts.
 */
export async function findVerdict(ctx: Ctx, run: Judged, git: WorkState | null) {
  const rows = await ctx.db.query<JudgedRow>(
    sql`select ${columns} from checks c where c.id in (${newestOf(sql`${run.id}`)}) order by c.created_at, c.id`,
  )
  const counted = rows.map((row) => countedOf(row, run.created_by))
  return verdictOf(counted, { state: git ?? {}, version: run.work_version })
}

/** How a check stands: whether it counts for the verdict of its run, and whether it applies to the current work. */
export interface Standing {
  counts: boolean
  current: boolean
}

interface StandingRow extends JudgedRow {
  is_newest: number
  created_by: number
  run_version: number
  git: string | null
}

/** How some checks stand, by id. Reads the newest checks of their runs in one statement. */
export async function standingsOf(ctx: Ctx, ids: readonly number[]): Promise<Map<number, Standing>> {
  if (ids.length === 0) return new Map()
  const given = sql`select g.run_id from checks g where g.id in (${listOf(ids)})`
  const rows = await ctx.db.query<StandingRow>(sql`
    with newest (id) as (${newestOf(given)})
    select ${columns}, case when c.id in (select id from newest) then 1 else 0 end as is_newest, r.created_by,
      r.work_version as run_version, r.git
    from checks c join runs r on r.id = c.run_id
    where c.id in (select id from newest union select g.id from checks g where g.id in (${listOf(ids)}))
    order by c.created_at, c.id`)
  const counting = new Set<number>()
  for (const newest of Map.groupBy(
    rows.filter((row) => row.is_newest === 1),
    ({ run_id }) => run_id,
  ).values()) {
    const counted = newest.map((row) => ({ ...countedOf(row, row.created_by), id: row.id }))
    for (const { id } of countingOf(counted)) counting.add(id)
  }
  return new Map(
    rows.map((row) => {
      const work = { state: JSON.parse(row.git ?? '{}') as WorkState, version: row.run_version }
      return [row.id, { counts: counting.has(row.id), current: isCurrent(countedOf(row, row.created_by), work) }]
    }),
  )
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
