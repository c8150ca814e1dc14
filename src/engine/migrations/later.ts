import { hash } from 'node:crypto'
import sql from 'sql-template-tag'
import type { SqlDialect, Tx } from '../db.ts'
import type { MigrationStep } from './schema.ts'

/** Sessions whose hooks are sent to the server: the hash of a token instead of the token, and when to end a silent one. */
export const hookSessions = ({ text }: SqlDialect): MigrationStep[] => [
  `alter table hook_sessions add column due_at ${text}`,
  `alter table hook_sessions add column changed_at ${text} not null default ''`,
  'alter table hook_sessions rename column lease_token to lease_hash',
  hashTokens,
  'create index hook_sessions_due on hook_sessions (due_at) where due_at is not null',
  'create index hook_sessions_without_run on hook_sessions (changed_at) where run_row is null',
]

async function hashTokens(tx: Tx): Promise<void> {
  const rows = await tx.query<{ id: number; token: string }>(
    sql`select id, lease_hash as token from hook_sessions where lease_hash is not null`,
  )
  for (const { id, token } of rows) {
    await tx.query(sql`update hook_sessions set lease_hash = ${hash('sha256', token)} where id = ${id}`)
  }
}

/**
 * Every table of PostgreSQL has a primary key, by which a publication identifies the rows that change. On SQLite, a table
 * has its rowid, and a new primary key would rewrite all texts. Constraints that a ledger of version 0.1 had under other
 * names get those that a new ledger gives them.
 */
export const primaryKeys = ({ commitsInOrder }: SqlDialect): string[] =>
  commitsInOrder
    ? []
    : [
        'alter table document_parts add constraint document_parts_pkey primary key using index document_parts_in_order',
        `do $$
        declare old text;
        begin
          for old in select conname from pg_constraint
            where conrelid = 'run_writers'::regclass and conname like 'run\\_authors%' loop
            execute format('alter table run_writers rename constraint %I to %I', old,
              replace(replace(old, 'run_authors', 'run_writers'), 'key_id', 'actor_id'));
          end loop;
        end $$`,
      ]

/**
 * What a verdict rests on: what a recorder saw, and for whom. Persons are stored as hashes of their mail, so that erasing
 * a text makes no check independent. Runs of earlier versions are not `judged`: a job derives their verdicts again.
 */
export function verdict({ text, integer }: SqlDialect): string[] {
  const added: Record<string, Record<string, string>> = {
    runs: {
      required: text,
      why: text,
      recorder_token: text,
      commit_tree: text,
      author_person: text,
      creator_person: text,
      judged: `${integer} not null default 0`,
    },
    run_writers: { person: text },
    run_commits: { made: `${integer} not null default 0`, noted_at: text },
    checks: {
      recorder: text,
      start_tree: text,
      commit_tree: text,
      pipeline: text,
      result_person: text,
      linked_to: text,
    },
    keys: { person: text, machine: text },
  }
  return [
    ...Object.entries(added).flatMap(([table, columns]) =>
      Object.entries(columns).map(([name, type]) => `alter table ${table} add column ${name} ${type}`),
    ),
    'update runs set recorder_token = lease_token where lease_token is not null',
    'create index runs_by_commit_tree on runs (project_id, commit_tree, created_at, id) where commit_tree is not null',
    'create index runs_unjudged on runs (id) where judged = 0',
  ]
}

/** What lists find runs by, and fields of runs, since version 18. */
export const runFinders = (): string[] => [
  'create index runs_by_model on runs (project_id, model, created_at, id) where model is not null',
  'create index runs_by_update on runs (project_id, updated_at, created_at, id)',
]

/** The version of a run's agent, since version 19. */
export const agentVersion = ({ text }: SqlDialect): string[] => [`alter table runs add column agent_version ${text}`]

/** What was written: a row for each file that a turn changed, or whose change since the run began it changed. */
export const turnDiffs = ({ id, text, integer, tableEnd }: SqlDialect): string[] => [
  `create table turn_diffs (id ${id}, project_id ${integer} not null references projects (id),
    run_id ${integer} not null references runs (id) on delete cascade,
    turn_id ${integer} not null references turns (id) on delete cascade, n ${integer} not null, path ${text} not null,
    facts ${text} not null, document_id ${integer}, whole_facts ${text}, whole_document_id ${integer},
    created_by ${integer} not null, created_at ${text} not null, unique (run_id, path, n)) ${tableEnd}`,
  'create index turn_diffs_by_turn on turn_diffs (turn_id, path)',
]

/** The turn that is in progress in a run. Its id is the one that the turn has once it is closed. */
export const openTurns = ({ text, integer, tableEnd }: SqlDialect): string[] => [
  `create table open_turns (run_id ${integer} primary key references runs (id) on delete cascade,
    id ${integer} not null unique, n ${integer} not null, title ${text}, prompt ${text}, facts ${text} not null,
    started_at ${text}, seen_at ${text} not null, created_by ${integer} not null, created_at ${text} not null,
    erased_at ${text}) ${tableEnd}`,
]

/**
 * What lists find runs by: the files that they wrote, with the folders above, and the person of the author. A job fills
 * these in for the runs that are there, from the newest to the oldest.
 */
export const touched = ({ text, integer, tableEnd }: SqlDialect): string[] => [
  `create table run_paths (run_id ${integer} not null references runs (id) on delete cascade, path ${text} not null,
    project_id ${integer} not null, created_at ${text} not null, primary key (run_id, path)) ${tableEnd}`,
  'create index runs_by_path on run_paths (project_id, path, created_at, run_id)',
  `create index runs_by_author_person on runs (project_id, author_person, created_at, id)
    where author_person is not null`,
  `create table backfills (name ${text} primary key, run_id ${integer} not null, path ${text} not null) ${tableEnd}`,
  `insert into backfills (name, run_id, path)
    select 'run_paths', last + 1, '' from (select max(run_id) as last from run_files) as newest where last is not null`,
  `insert into backfills (name, run_id, path)
    select 'author_person', last + 1, '' from (select max(id) as last from runs
      where author is not null and author_person is null) as newest where last is not null`,
]

/** What arrives at a webhook: events, or sentences for people. */
export const webhookFormat = ({ text }: SqlDialect): string[] => [
  `alter table webhooks add column format ${text} not null default 'events'`,
]

/** The words of diffs. Their entries know the turn, so that they are found once it is deleted. */
export const diffWords = ({ integer }: SqlDialect): string[] => [
  `alter table search_entries add column turn_id ${integer}`,
  'create index search_entries_of_turn on search_entries (turn_id) where turn_id is not null',
  `insert into search_entries (type, subject_id, turn_id)
    select 'diff', id, turn_id from turn_diffs where facts <> '{}' order by id`,
]

/**
 * Lists of all projects walk along these indexes. They order by an expression, which only these lists use: PostgreSQL
 * would also walk along an index of the plain column for one project of few, past all newer rows of the others.
 */
export const everywhere = (): string[] => [
  'drop index runs_by_time_everywhere',
  ...['runs', 'checks', 'specs', 'features'].map(
    (table) => `create index ${table}_by_time_everywhere on ${table} ((created_at || ''), id)`,
  ),
]

/** Texts have more words: why runs failed, and every part of what has no spaces. */
export const wordsAgain = (): string[] => [
  `update search_entries set head = 'earlier', is_stale = 1 where head is not null`,
]

/**
 * The models that runs used, each with its share of the usage, by which lists find runs and statistics group them. A job
 * fills these in for the runs that are there, from the newest to the oldest.
 */
export const runModels = ({ text, integer, real, tableEnd }: SqlDialect): string[] => [
  `create table run_models (run_id ${integer} not null references runs (id) on delete cascade, model ${text} not null,
    project_id ${integer} not null, created_at ${text} not null, told ${text}, input_tokens ${integer},
    output_tokens ${integer}, cache_read_tokens ${integer}, cache_write_tokens ${integer}, cost_usd ${real},
    primary key (run_id, model)) ${tableEnd}`,
  'drop index runs_by_model',
  'create index runs_by_model on run_models (project_id, model, created_at, run_id)',
  `insert into backfills (name, run_id, path)
    select 'run_models', last + 1, '' from (select max(id) as last from runs) as newest where last is not null`,
]

/**
 * The tree of work that is not all committed: a check of a commit with that tree is about the run. No release before has
 * said what is not committed.
 */
export const uncommittedTrees = ({ text }: SqlDialect): string[] => [
  `alter table runs add column uncommitted_tree ${text}`,
  `create index runs_by_uncommitted_tree on runs (project_id, uncommitted_tree, created_at, id)
    where uncommitted_tree is not null`,
]

/** The leap of the clock that a server doubts, for processes that open the ledger later. */
export const clockLeaps = ({ text, integer, tableEnd }: SqlDialect): string[] => [
  `create table clock_leaps (id ${integer} primary key, words ${text} not null, at ${text} not null,
    until ${text} not null, ahead_ms ${integer} not null) ${tableEnd}`,
]
