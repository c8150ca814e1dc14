import sql, { join } from 'sql-template-tag'
import { commitsOf, hrefKeysOf } from '../../../ledger/found-by.ts'
import type { Dialect, Tx } from '../db.ts'
import type { Step } from './migration.ts'

type Progress = (done: number, of: number) => void

/** Rows that one statement of a migration moves. */
const batch = 5_000

/**
 * Version 6. Turns of runs; checks that know the tree that they judged; who works for whom, on what and since when; what
 * finds runs by commit, branch, session, author, link and end.
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
    ...turns(dialect),
    ...findRuns(dialect),
    findKnown,
  ]
}

function turns({ id, text, integer, tableEnd }: Dialect): string[] {
  return [
    `create table turns (id ${id}, project_id ${integer} not null references projects (id),
      run_id ${integer} not null references runs (id) on delete cascade, n ${integer} not null, title ${text},
      prompt_id ${integer}, answer_id ${integer}, facts ${text} not null, created_by ${integer} not null,
      created_at ${text} not null, unique (run_id, n)) ${tableEnd}`,
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

/** Fills in what finds the runs that are there. */
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
