import sql, { raw } from 'sql-template-tag'
import type { SqlDialect, Tx } from '../db.ts'
import type { MigrationStep } from './schema.ts'

/**
 * The runs that somebody should look at. Those that ended in the last 14 days are on the list at once. They get no
 * events, because webhooks would send them all.
 */
export const attention = ({ integer, text, tableEnd }: SqlDialect): MigrationStep[] => [
  `create table attention (run_id ${integer} primary key references runs (id) on delete cascade,
    project_id ${integer} not null, reason ${text} not null, check_name ${text}, since_at ${text} not null, spec_id ${text},
    branch ${text}, author_person ${text}, hidden ${integer} not null default 0, state ${text} not null default 'open',
    assignee ${text}, assignee_person ${text}, put_off_until ${text}, resolved_at ${text}, resolved_by ${integer},
    note ${text}, updated_at ${text} not null) ${tableEnd}`,
  'create index attention_by_state on attention (project_id, state, hidden, since_at, run_id)',
  'create index attention_by_reason on attention (project_id, state, hidden, reason, since_at, run_id)',
  'create index attention_by_author on attention (project_id, state, hidden, author_person, since_at, run_id)',
  'create index attention_by_assignee on attention (project_id, state, hidden, assignee_person, since_at, run_id)',
  'create index attention_by_branch on attention (project_id, branch, run_id) where branch is not null',
  'create index attention_by_spec on attention (project_id, spec_id, run_id) where spec_id is not null',
  `create index attention_put_off on attention (put_off_until) where state = 'put-off'`,
  fill,
]

const newsMs = 14 * 86_400_000
const reason = `case when r.status <> 'failed' then 'failing' when r.failure like '%"code":"LEASE_EXPIRED"%' then 'vanished'
  else 'failed' end`

async function fill(tx: Tx): Promise<void> {
  const since = new Date(tx.now() - newsMs).toISOString()
  await tx.query(sql`
    insert into attention (run_id, project_id, reason, check_name, since_at, spec_id, branch, author_person, updated_at)
    select r.id, r.project_id, ${raw(reason)},
      case when r.status = 'failed' then null else (select c.name from checks c where c.run_id = r.id and c.result = 'fail'
        order by c.created_at desc, c.id desc limit 1) end,
      coalesce(r.ended_at, r.updated_at), r.spec_id, r.branch, r.author_person, coalesce(r.ended_at, r.updated_at)
    from runs r join projects p on p.id = r.project_id
    where p.deleted_at is null and coalesce(r.ended_at, r.updated_at) > ${since} and r.judged < 2
      and (r.status = 'failed' or r.verdict = 'failing')`)
  for (const { isGood, mends } of mendings) {
    for (const task of ['branch', 'spec_id']) await tx.query(raw(mendedOf(task, isGood, mends)))
    await tx.query(
      raw(`delete from attention where ${mends('attention')} and exists (
      select 1 from runs g where g.retry_of = attention.run_id and ${isGood})`),
    )
  }
}

/** Which good runs make which reasons good. */
const mendings = [
  { isGood: `g.status = 'completed' and g.verdict = 'verified'`, mends: () => '1 = 1' },
  {
    isGood: `g.status = 'completed' and g.verdict <> 'failing'`,
    mends: (row: string) => `${row}.reason in ('failed', 'vanished')`,
  },
]

/**
 * Takes off the list what a later run of the same task made good. It looks for the newest good run of each task once: a
 * branch may have all runs of a ledger, and none of them good.
 */
const mendedOf = (task: string, isGood: string, mends: (row: string) => string) => `
  delete from attention where run_id in (
    select a.run_id from (
      select t.project_id, t.task, (
        select g.id from runs g where g.project_id = t.project_id and g.${task} = t.task and ${isGood}
        order by g.created_at desc, g.id desc limit 1) as good_id
      from (select distinct project_id, ${task} as task from attention where ${task} is not null) t) l
    join runs g on g.id = l.good_id
    join attention a on a.project_id = l.project_id and a.${task} = l.task and ${mends('a')}
    join runs r on r.id = a.run_id
    where (g.created_at, g.id) > (r.created_at, r.id))`
