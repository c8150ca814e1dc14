import sql, { join } from 'sql-template-tag'
import { commitsOf, hrefKeysOf } from '../../../ledger/found-by.ts'
import type { Dialect, Tx } from '../db.ts'
import type { Step } from './migration.ts'

type Progress = (done: number, of: number) => void

/** How many rows one statement of a migration moves. */
const batch = 5_000

/**
 * Version 6 adds turns of runs; checks with the tree they judged; who works for whom, on what and since when; and
 * indexes to find runs by commit, branch, session, author, link and end.
 */
export function wholeSessions(dialect: Dialect): Step[] {
  const { text, integer } = dialect
  const runColumns = {
    author: text,
    command: text,
    exit_code: integer,
    content_type: text,
    cache_read_tokens: integer,
    cache_write_tokens: integer,
    cost_source: text,
    activity: text,
    branch: text,
    session: text,
  }
  const checkColumns = { git_tree: text, git_dirty: integer, content_type: text }
  return [
    ...Object.entries(runColumns).map(([name, type]) => `alter table runs add column ${name} ${type}`),
    ...Object.entries(checkColumns).map(([name, type]) => `alter table checks add column ${name} ${type}`),
    `alter table events add column imported ${integer} not null default 0`,
    // An author is the person for whom the work is done; a writer is an actor who wrote part of a run.
    'alter table run_authors rename to run_writers',
    ...turns(dialect),
    ...findRuns(dialect),
    findKnown,
    ...totals(dialect),
  ]
}

/** The totals of specs count cached tokens, and runs with a known cost. */
function totals({ integer }: Dialect): string[] {
  const added = ['cache_read_tokens', 'cache_write_tokens', 'costed']
  return [
    ...added.map((column) => `alter table spec_totals add column ${column} ${integer} not null default 0`),
    `update spec_totals set costed = (select count(cost_usd) from runs r where r.project_id = spec_totals.project_id
      and r.spec_id = spec_totals.spec_id and r.status = spec_totals.status and r.verdict = spec_totals.verdict)
      where shard = (select min(t.shard) from spec_totals t where t.project_id = spec_totals.project_id
        and t.spec_id = spec_totals.spec_id and t.status = spec_totals.status and t.verdict = spec_totals.verdict)`,
  ]
}

function turns({ id, text, integer, tableEnd }: Dialect): string[] {
  return [
    `create table turns (id ${id}, project_id ${integer} not null references projects (id),
      run_id ${integer} not null references runs (id) on delete cascade, n ${integer} not null, title ${text},
      prompt_id ${integer}, answer_id ${integer}, facts ${text} not null, created_by ${integer} not null,
      created_at ${text} not null, unique (run_id, n)) ${tableEnd}`,
    `create table hook_sessions (id ${id}, project_id ${integer} not null references projects (id),
      actor_id ${integer} not null, agent ${text} not null, session ${text} not null,
      run_row ${integer} references runs (id) on delete set null, lease_token ${text}, memo ${text} not null,
      unique (project_id, actor_id, agent, session)) ${tableEnd}`,
    'create index hook_sessions_by_run on hook_sessions (run_row) where run_row is not null',
    `create table run_files (run_id ${integer} not null references runs (id) on delete cascade, path ${text} not null,
      insertions ${integer}, deletions ${integer}, primary key (run_id, path)) ${tableEnd}`,
  ]
}

function findRuns({ text, integer, tableEnd }: Dialect): string[] {
  const side = (table: string, column: string) => [
    `create table ${table} (run_id ${integer} not null references runs (id) on delete cascade, ${column} ${text} not null,
      project_id ${integer} not null, created_at ${text} not null, primary key (run_id, ${column})) ${tableEnd}`,
    `create index runs_by_${column} on ${table} (project_id, ${column}, created_at, run_id)`,
  ]
  return [
    ...side('run_commits', 'commit_id'),
    ...side('run_links', 'href_key'),
    ...['author', 'branch', 'session'].map(
      (column) =>
        `create index runs_by_${column} on runs (project_id, ${column}, created_at, id) where ${column} is not null`,
    ),
    'create index runs_by_end on runs (project_id, ended_at, created_at, id) where ended_at is not null',
  ]
}

interface Known {
  id: number
  project_id: number
  created_at: string
  location: string | null
  git: string | null
  links: string
}

/** Fills the new indexes for existing runs. */
async function findKnown(tx: Tx, progress: Progress) {
  const [end] = await tx.query<{ last: number | null }>(sql`select max(id) as last from runs`)
  const last = end?.last ?? 0
  for (let from = 0; from < last; from += batch) {
    const rows = await tx.query<Known>(sql`select id, project_id, created_at, location, git, links from runs
      where id > ${from} and id <= ${from + batch} and (location is not null or git is not null or links <> '[]')`)
    for (const row of rows) await findOne(tx, row)
    progress(Math.min(from + batch, last), last)
  }
}

async function findOne(tx: Tx, { id, project_id, created_at, ...row }: Known) {
  const git = row.git === null ? null : JSON.parse(row.git)
  const session = row.location === null ? null : (JSON.parse(row.location).session ?? null)
  const branch = git?.branch ?? null
  if (branch !== null || session !== null) {
    await tx.query(sql`update runs set branch = ${branch}, session = ${session} where id = ${id}`)
  }
  const commits = commitsOf({ git }).map((commit) => sql`(${id}, ${commit}, ${project_id}, ${created_at})`)
  if (commits.length > 0) {
    await tx.query(sql`insert into run_commits (run_id, commit_id, project_id, created_at) values ${join(commits)}`)
  }
  const links = hrefKeysOf({ links: JSON.parse(row.links) }).map(
    (key) => sql`(${id}, ${key}, ${project_id}, ${created_at})`,
  )
  if (links.length > 0) {
    await tx.query(sql`insert into run_links (run_id, href_key, project_id, created_at) values ${join(links)}`)
  }
}
