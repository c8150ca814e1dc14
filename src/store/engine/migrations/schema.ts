import type { Dialect } from '../db.ts'
import { erasing } from './erasing.ts'
import { eventsOnce } from './events-once.ts'
import { firmGround } from './firm-ground.ts'
import { growth } from './growth.ts'
import { hookSessions } from './hook-sessions.ts'
import { imports } from './imports.ts'
import type { Migration } from './migration.ts'
import { retention } from './retention.ts'
import { seal } from './seal.ts'
import { secondLook } from './second-look.ts'
import { webhooks } from './webhooks.ts'
import { wholeSessions } from './whole-sessions.ts'

/** Each entry migrates the schema to the next version. Append only: never edit an entry that has run anywhere. */
export const migrations: Migration[] = [
  dayOne,
  wholeLedger,
  sessions,
  boundedReads,
  firmGround,
  wholeSessions,
  seal,
  eventsOnce,
  webhooks,
  imports,
  erasing,
  retention,
  growth,
  secondLook,
  hookSessions,
]

function dayOne({ id, text, integer, real, tableEnd, commitsInOrder }: Dialect): string[] {
  // If commits follow the order of ids, the id of an event is its seq; otherwise it is numbered once it is visible.
  const seq = commitsInOrder ? `seq ${id}` : `id ${id}, seq ${integer} unique`
  const row = `created_by ${integer}, updated_by ${integer}, created_at ${text} not null, updated_at ${text} not null,
    version ${integer} not null default 1`
  return [
    `create table projects (id ${id}, slug ${text} not null unique, name ${text} not null, repository ${text}, ${row}) ${tableEnd}`,
    'create index projects_by_time on projects (created_at, id)',

    `create table keys (id ${id}, project_id ${integer} references projects (id), name ${text} not null,
      prefix ${text} not null, hash ${text} not null unique, permissions ${text} not null, created_by ${integer},
      created_at ${text} not null, last_used_at ${text}, expires_at ${text}, revoked_at ${text}) ${tableEnd}`,
    'create index keys_by_time on keys (created_at, id)',
    'create index keys_of_project on keys (project_id, created_at, id)',

    `create table counters (project_id ${integer} not null references projects (id), noun ${text} not null,
      next ${integer} not null, primary key (project_id, noun)) ${tableEnd}`,

    // A document belongs to one row, which deletes it. A foreign key would cost each write an index just for that
    // check.
    `create table documents (id ${id}, project_id ${integer} not null references projects (id),
      bytes ${integer} not null, sha256 ${text}) ${tableEnd}`,
    `create table document_parts (document_id ${integer} not null references documents (id) on delete cascade,
      start ${integer} not null, text ${text} not null) ${tableEnd}`,
    'create unique index document_parts_in_order on document_parts (document_id, start)',

    `create table runs (id ${id}, project_id ${integer} not null references projects (id), run_id ${text} not null,
      title ${text}, spec_id ${text}, spec_version ${integer}, status ${text} not null,
      document_id ${integer}, agent ${text}, labels ${text} not null, location ${text},
      git ${text}, changes ${text}, links ${text} not null, model ${text}, input_tokens ${integer},
      output_tokens ${integer}, cost_usd ${real}, failure ${text}, retry_of ${integer} references runs (id) on delete set null,
      attempt ${integer} not null default 1, verdict ${text} not null default 'unchecked', evidence ${text},
      work_version ${integer} not null default 1, lease_expires_at ${text}, last_seen_at ${text},
      started_at ${text}, ended_at ${text}, ${row}, unique (project_id, run_id)) ${tableEnd}`,
    'create index runs_by_time on runs (project_id, created_at, id)',
    'create index runs_by_spec on runs (project_id, spec_id, created_at, id) where spec_id is not null',
    'create index runs_by_status on runs (project_id, status, created_at, id)',
    'create index runs_by_agent on runs (project_id, agent, status, created_at, id) where agent is not null',
    'create index runs_by_retry on runs (retry_of) where retry_of is not null',

    `create table run_labels (run_id ${integer} not null references runs (id) on delete cascade, name ${text} not null,
      value ${text} not null, project_id ${integer} not null, created_at ${text} not null,
      primary key (run_id, name)) ${tableEnd}`,
    'create index runs_by_label on run_labels (project_id, name, value, created_at, run_id)',

    `create table features (id ${id}, project_id ${integer} not null references projects (id), number ${integer} not null,
      name ${text} not null, description ${text}, file ${text}, ${row}, unique (project_id, number),
      unique (project_id, name)) ${tableEnd}`,
    'create index features_by_time on features (project_id, created_at, id)',
    'create index features_by_file on features (project_id, file, created_at, id) where file is not null',

    `create table run_features (run_id ${integer} not null references runs (id) on delete cascade,
      feature_id ${integer} not null references features (id) on delete cascade, created_at ${text} not null,
      primary key (run_id, feature_id)) ${tableEnd}`,
    'create index runs_by_feature on run_features (feature_id, created_at, run_id)',

    `create table events (${seq}, project_id ${integer}, type ${text} not null, subject ${text} not null,
      subject_id ${integer} not null, actor ${text} not null, at ${text} not null, changes ${text} not null) ${tableEnd}`,
    ...(commitsInOrder ? [] : ['create index events_unnumbered on events (id) where seq is null']),
    'create index events_of_project on events (project_id, seq)',

    `create table idempotency_keys (key_id ${integer} not null, project_id ${integer} not null, name ${text} not null,
      fingerprint ${text} not null, created_at ${text} not null, answer ${text}, primary key (key_id, project_id, name)) ${tableEnd}`,
    'create index idempotency_keys_by_time on idempotency_keys (created_at)',

    `create table health (id ${integer} primary key, checked_at ${text} not null) ${tableEnd}`,
  ]
}

/** Specs, checks, leases, and appends to contents. */
function wholeLedger({ id, text, integer, tableEnd, searchWords }: Dialect): string[] {
  const row = `created_by ${integer}, updated_by ${integer}, created_at ${text} not null, updated_at ${text} not null,
    version ${integer} not null default 1`
  return [
    `create table specs (id ${id}, project_id ${integer} not null references projects (id), spec_id ${text} not null,
      title ${text}, status ${text} not null, agent ${text}, document_id ${integer},
      checklist_total ${integer} not null, checklist_done ${integer} not null, ${row}, unique (project_id, spec_id)) ${tableEnd}`,
    'create index specs_by_time on specs (project_id, created_at, id)',
    'create index specs_by_status on specs (project_id, status, created_at, id)',

    `create table spec_versions (id ${id}, spec_id ${integer} not null references specs (id) on delete cascade,
      version ${integer} not null, title ${text}, document_id ${integer},
      created_at ${text} not null, unique (spec_id, version)) ${tableEnd}`,
    'create index spec_versions_by_time on spec_versions (spec_id, created_at, id)',

    `create table checks (id ${id}, project_id ${integer} not null references projects (id), check_id ${text} not null,
      run_id ${integer} not null references runs (id) on delete cascade, name ${text} not null, result ${text} not null,
      result_by ${integer}, work_version ${integer} not null, document_id ${integer},
      command ${text}, exit_code ${integer}, duration_ms ${integer}, git_commit ${text}, agent ${text}, ${row},
      unique (project_id, check_id)) ${tableEnd}`,
    'create index checks_by_time on checks (project_id, created_at, id)',
    'create index checks_by_run on checks (run_id, created_at, id)',
    'create index checks_by_name on checks (project_id, name, created_at, id)',
    'create index checks_by_result on checks (project_id, result, created_at, id)',

    `create table run_authors (run_id ${integer} not null references runs (id) on delete cascade,
      key_id ${integer} not null, primary key (run_id, key_id)) ${tableEnd}`,

    `alter table runs add column lease_token ${text}`,
    `alter table runs add column lease_seconds ${integer}`,
    'create index runs_by_lease on runs (lease_expires_at) where lease_expires_at is not null',
    'create index runs_by_verdict on runs (project_id, verdict, created_at, id)',

    `alter table document_parts add column dropped ${integer} not null default 0`,
    'create index document_parts_dropped on document_parts (document_id) where dropped > 0',

    `create table search_state (id ${integer} primary key, last_seq ${integer} not null) ${tableEnd}`,
    'insert into search_state (id, last_seq) values (1, 0)',
    `create table search_entries (id ${id}, type ${text} not null, subject_id ${integer} not null,
      unique (type, subject_id)) ${tableEnd}`,
    ...searchWords('search_words'),

    'create index events_by_type on events (type, seq)',
    'create index events_by_subject on events (subject, seq)',
  ]
}

function sessions({ id, text, integer, tableEnd }: Dialect): string[] {
  return [
    `create table sessions (id ${id}, hash ${text} not null unique, key_id ${integer} not null references keys (id),
      made_key ${integer} not null, created_at ${text} not null) ${tableEnd}`,
    'create index sessions_by_time on sessions (created_at)',
    `create table login_codes (id ${id}, hash ${text} not null unique, key_id ${integer} references keys (id),
      created_at ${text} not null) ${tableEnd}`,
    'create index login_codes_by_time on login_codes (created_at)',
  ]
}

/** Keeps each read as fast on a large ledger as on a small one. */
function boundedReads({ searchWords }: Dialect): string[] {
  return [
    ...searchWords('search_recent'),
    'create index runs_by_spec_and_status on runs (project_id, spec_id, status, created_at, id) where spec_id is not null',
  ]
}
