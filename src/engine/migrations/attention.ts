import sql, { raw } from 'sql-template-tag'
import type { Dialect, Tx } from '../db.ts'
import type { Step } from './schema.ts'

/**
 * The runs that somebody should look at. Those that ended in the last 14 days are on the list at once. No event tells of
 * them, because an upgrade is no news: webhooks would send them all.
 */
export const attention = ({ integer, text, tableEnd }: Dialect): Step[] => [
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
/** Whether a later run of the same task is good. */
const isMended = (isSame: string) => `exists (select 1 from runs g where g.project_id = r.project_id and ${isSame}
  and g.status = 'completed' and g.verdict <> 'failing' and (g.verdict = 'verified' or r.status = 'failed')
  and (g.created_at, g.id) > (r.created_at, r.id))`

async function fill(tx: Tx): Promise<void> {
  const since = new Date(tx.now() - newsMs).toISOString()
  const tasks = ['g.branch = r.branch', 'g.spec_id = r.spec_id', 'g.retry_of = r.id']
  await tx.query(sql`
    insert into attention (run_id, project_id, reason, check_name, since_at, spec_id, branch, author_person, updated_at)
    select r.id, r.project_id, ${raw(reason)},
      case when r.status = 'failed' then null else (select c.name from checks c where c.run_id = r.id and c.result = 'fail'
        order by c.created_at desc, c.id desc limit 1) end,
      coalesce(r.ended_at, r.updated_at), r.spec_id, r.branch, r.author_person, coalesce(r.ended_at, r.updated_at)
    from runs r join projects p on p.id = r.project_id
    where p.deleted_at is null and coalesce(r.ended_at, r.updated_at) > ${since} and r.judged < 2
      and (r.status = 'failed' or r.verdict = 'failing') and not (${raw(tasks.map(isMended).join(' or '))})`)
}
