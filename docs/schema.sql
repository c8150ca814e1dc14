-- The tables of a ledger with schema version 30, as SQLite has them.
-- npm run generate prints this file from src/engine/migrations; do not edit it.
--
-- On PostgreSQL, integer is bigint, real is double precision, blob is bytea, and text is compared byte by byte. Ids are
-- identity columns. An index of words is a table (rowid, words tsvector). Events without a number wait in a table
-- pending_events, and the key of document_parts is its primary key.

-- A version of the schema that the ledger has reached; the highest counts.
create table schema_versions (
  version integer primary key
);

-- A project.
create table projects (
  id integer primary key autoincrement,
  slug text not null unique,
  name text not null,
  repository text,
  created_by integer,
  updated_by integer,
  created_at text not null,
  updated_at text not null,
  version integer not null default 1,
  retention text,
  deleted_at text,
  emptied_at text
) strict;
create index projects_by_time on projects (created_at, id);

-- Who acts: a key; 0 is the local user, -1 Conduct itself, -2 its retention. Rows and events refer to it.
create table actors (
  id integer primary key autoincrement,
  kind text not null,
  name text,
  key_id integer
) strict;

-- A key, by the hash of its secret.
create table keys (
  id integer primary key autoincrement,
  project_id integer references projects (id),
  name text not null,
  prefix text not null,
  hash text not null unique,
  permissions text not null,
  created_by integer,
  created_at text not null,
  last_used_at text,
  expires_at text,
  revoked_at text,
  actor_id integer,
  person text,
  machine text
) strict;
create index keys_by_time on keys (created_at, id);
create index keys_of_project on keys (project_id, created_at, id);

-- A login of a browser.
create table sessions (
  id integer primary key autoincrement,
  hash text not null unique,
  key_id integer not null references keys (id),
  made_key integer not null,
  created_at text not null
) strict;
create index sessions_by_time on sessions (created_at);

-- A code with which a browser logs in once.
create table login_codes (
  id integer primary key autoincrement,
  hash text not null unique,
  key_id integer references keys (id),
  created_at text not null
) strict;
create index login_codes_by_time on login_codes (created_at);

-- The next number of a noun in a project.
create table counters (
  project_id integer not null references projects (id),
  noun text not null,
  next integer not null,
  primary key (project_id, noun)
) strict;

-- A write that may be repeated, and its encrypted response.
create table idempotency_keys (
  key_id integer not null,
  project_id integer not null,
  name text not null,
  fingerprint text not null,
  created_at text not null,
  answer text,
  primary key (key_id, project_id, name)
) strict;
create index idempotency_keys_by_time on idempotency_keys (created_at);

-- A text: the content of a run, spec or check, the prompt or answer of a turn, or the diff of a file.
create table documents (
  id integer primary key autoincrement,
  project_id integer not null references projects (id),
  bytes integer not null,
  sha256 text
) strict;

-- A part of a text, at its offset in bytes.
create table document_parts (
  document_id integer not null references documents (id) on delete cascade,
  start integer not null,
  text text not null,
  dropped integer not null default 0
) strict;
create unique index document_parts_in_order on document_parts (document_id, start);
create index document_parts_dropped on document_parts (document_id) where dropped > 0;

-- A run. Lists and objects are JSON.
create table runs (
  id integer primary key autoincrement,
  project_id integer not null references projects (id),
  run_id text not null,
  title text,
  spec_id text,
  spec_version integer,
  status text not null,
  document_id integer,
  agent text,
  labels text not null,
  location text,
  git text,
  changes text,
  links text not null,
  model text,
  input_tokens integer,
  output_tokens integer,
  cost_usd real,
  failure text,
  retry_of integer references runs (id) on delete set null,
  attempt integer not null default 1,
  verdict text not null default 'unchecked',
  evidence text,
  work_version integer not null default 1,
  lease_expires_at text,
  last_seen_at text,
  started_at text,
  ended_at text,
  created_by integer,
  updated_by integer,
  created_at text not null,
  updated_at text not null,
  version integer not null default 1,
  lease_token text,
  lease_seconds integer,
  author text,
  command text,
  exit_code integer,
  content_type text,
  cache_read_tokens integer,
  cache_write_tokens integer,
  cost_source text,
  activity text,
  branch text,
  session text,
  erased_at text,
  expired_at text,
  required text,
  why text,
  recorder_token text,
  commit_tree text,
  author_person text,
  creator_person text,
  judged integer not null default 0,
  agent_version text,
  uncommitted_tree text,
  unique (project_id, run_id)
) strict;
create index runs_by_time on runs (project_id, created_at, id);
create index runs_by_spec on runs (project_id, spec_id, created_at, id) where spec_id is not null;
create index runs_by_author on runs (project_id, author, created_at, id) where author is not null;
create index runs_by_branch on runs (project_id, branch, created_at, id) where branch is not null;
create index runs_by_session on runs (project_id, session, created_at, id) where session is not null;
create index runs_by_status on runs (project_id, status, created_at, id);
create index runs_by_spec_and_status on runs (project_id, spec_id, status, created_at, id) where spec_id is not null;
create index runs_by_agent on runs (project_id, agent, status, created_at, id) where agent is not null;
create index runs_by_retry on runs (retry_of) where retry_of is not null;
create index runs_by_lease on runs (lease_expires_at) where lease_expires_at is not null;
create index runs_by_verdict on runs (project_id, verdict, created_at, id);
create index runs_by_end on runs (project_id, ended_at, created_at, id) where ended_at is not null;
create index runs_by_commit_tree on runs (project_id, commit_tree, created_at, id) where commit_tree is not null;
create index runs_unjudged on runs (id) where judged = 0;
create index runs_by_update on runs (project_id, updated_at, created_at, id);
create index runs_by_author_person on runs (project_id, author_person, created_at, id) where author_person is not null;
create index runs_by_time_everywhere on runs ((created_at || ''), id);
create index runs_by_uncommitted_tree on runs (project_id, uncommitted_tree, created_at, id) where uncommitted_tree is not null;

-- A label of a run, by which it is found.
create table run_labels (
  run_id integer not null references runs (id) on delete cascade,
  name text not null,
  value text not null,
  project_id integer not null,
  created_at text not null,
  primary key (run_id, name)
) strict;
create index runs_by_label on run_labels (project_id, name, value, created_at, run_id);

-- An actor who has written a part of a run.
create table run_writers (
  run_id integer not null references runs (id) on delete cascade,
  actor_id integer not null,
  person text,
  primary key (run_id, actor_id)
) strict;

-- A file that a run has changed.
create table run_files (
  run_id integer not null references runs (id) on delete cascade,
  path text not null,
  insertions integer,
  deletions integer,
  primary key (run_id, path)
) strict;

-- A commit by which a run is found.
create table run_commits (
  run_id integer not null references runs (id) on delete cascade,
  commit_id text not null,
  project_id integer not null,
  created_at text not null,
  made integer not null default 0,
  noted_at text,
  primary key (run_id, commit_id)
) strict;
create index runs_by_commit_id on run_commits (project_id, commit_id, created_at, run_id);

-- A link by which a run is found, hashed.
create table run_links (
  run_id integer not null references runs (id) on delete cascade,
  href_key text not null,
  project_id integer not null,
  created_at text not null,
  primary key (run_id, href_key)
) strict;
create index runs_by_href_key on run_links (project_id, href_key, created_at, run_id);

-- A turn of a run: a prompt, an answer, and what happened in between.
create table turns (
  id integer primary key autoincrement,
  project_id integer not null references projects (id),
  run_id integer not null references runs (id) on delete cascade,
  n integer not null,
  title text,
  prompt_id integer,
  answer_id integer,
  facts text not null,
  created_by integer not null,
  created_at text not null,
  erased_at text,
  unique (run_id, n)
) strict;

-- A check of a run.
create table checks (
  id integer primary key autoincrement,
  project_id integer not null references projects (id),
  check_id text not null,
  run_id integer not null references runs (id) on delete cascade,
  name text not null,
  result text not null,
  result_by integer,
  work_version integer not null,
  document_id integer,
  command text,
  exit_code integer,
  duration_ms integer,
  git_commit text,
  agent text,
  created_by integer,
  updated_by integer,
  created_at text not null,
  updated_at text not null,
  version integer not null default 1,
  git_tree text,
  git_dirty integer,
  content_type text,
  erased_at text,
  recorder text,
  start_tree text,
  commit_tree text,
  pipeline text,
  result_person text,
  linked_to text,
  unique (project_id, check_id)
) strict;
create index checks_by_time on checks (project_id, created_at, id);
create index checks_by_run on checks (run_id, created_at, id);
create index checks_by_name on checks (project_id, name, created_at, id);
create index checks_by_result on checks (project_id, result, created_at, id);
create index checks_by_time_everywhere on checks ((created_at || ''), id);

-- A session of an agent whose hooks report over HTTP.
create table hook_sessions (
  id integer primary key autoincrement,
  project_id integer not null references projects (id),
  actor_id integer not null,
  agent text not null,
  session text not null,
  run_row integer references runs (id) on delete set null,
  lease_hash text,
  memo text not null,
  due_at text,
  changed_at text not null default '',
  unique (project_id, actor_id, agent, session)
) strict;
create index hook_sessions_by_run on hook_sessions (run_row) where run_row is not null;
create index hook_sessions_due on hook_sessions (due_at) where due_at is not null;
create index hook_sessions_without_run on hook_sessions (changed_at) where run_row is null;

-- A spec, as its newest version says.
create table specs (
  id integer primary key autoincrement,
  project_id integer not null references projects (id),
  spec_id text not null,
  title text,
  status text not null,
  agent text,
  document_id integer,
  checklist_total integer not null,
  checklist_done integer not null,
  created_by integer,
  updated_by integer,
  created_at text not null,
  updated_at text not null,
  version integer not null default 1,
  erased_at text,
  unique (project_id, spec_id)
) strict;
create index specs_by_time on specs (project_id, created_at, id);
create index specs_by_status on specs (project_id, status, created_at, id);
create index specs_by_time_everywhere on specs ((created_at || ''), id);

-- A version of a spec.
create table spec_versions (
  id integer primary key autoincrement,
  spec_id integer not null references specs (id) on delete cascade,
  version integer not null,
  title text,
  document_id integer,
  created_at text not null,
  unique (spec_id, version)
) strict;
create index spec_versions_by_time on spec_versions (spec_id, created_at, id);

-- A feature.
create table features (
  id integer primary key autoincrement,
  project_id integer not null references projects (id),
  number integer not null,
  name text not null,
  description text,
  file text,
  created_by integer,
  updated_by integer,
  created_at text not null,
  updated_at text not null,
  version integer not null default 1,
  erased_at text,
  unique (project_id, number),
  unique (project_id, name)
) strict;
create index features_by_time on features (project_id, created_at, id);
create index features_by_file on features (project_id, file, created_at, id) where file is not null;
create index features_by_time_everywhere on features ((created_at || ''), id);

-- A link between a run and a feature.
create table run_features (
  run_id integer not null references runs (id) on delete cascade,
  feature_id integer not null references features (id) on delete cascade,
  created_at text not null,
  primary key (run_id, feature_id)
) strict;
create index runs_by_feature on run_features (feature_id, created_at, run_id);

-- A share of the totals of the runs of a spec.
create table spec_totals (
  project_id integer not null,
  spec_id text not null,
  status text not null,
  verdict text not null,
  shard integer not null,
  runs integer not null,
  attempts integer not null,
  input_tokens integer not null,
  output_tokens integer not null,
  cost_usd real not null,
  cache_read_tokens integer not null default 0,
  cache_write_tokens integer not null default 0,
  costed integer not null default 0,
  primary key (project_id, spec_id, status, verdict, shard)
) strict;

-- A share of the totals of the runs of a feature.
create table feature_totals (
  feature_id integer not null,
  shard integer not null,
  runs integer not null,
  cost_usd real not null,
  costed integer not null,
  primary key (feature_id, shard)
) strict;

-- A change, in the one order of the log.
create table events (
  seq integer primary key autoincrement,
  project_id integer,
  type text not null,
  subject text not null,
  subject_id integer not null,
  at text not null,
  changes text not null,
  actor_id integer,
  is_append integer not null default 0,
  imported integer not null default 0
) strict;
create index events_of_project on events (project_id, is_append, seq);
create index events_by_type on events (type, project_id, seq) where is_append = 0;
create index events_by_subject on events (subject, is_append, seq);

-- An erasure of texts.
create table erasures (
  id integer primary key autoincrement,
  project_id integer,
  created_by integer not null,
  created_at text not null
) strict;

-- A piece of a text in the index of words. Its id is the rowid of the index.
create table search_entries (
  id integer primary key autoincrement,
  type text not null,
  subject_id integer not null,
  document_id integer,
  head text,
  bytes integer not null default 0,
  gap integer not null default 0,
  is_stale integer not null default 1,
  turn_id integer,
  unique (type, subject_id)
) strict;
create index search_entries_stale on search_entries (id) where is_stale = 1;
create index search_entries_of_turn on search_entries (turn_id) where turn_id is not null;

-- The words of each entry.
create virtual table search_words using fts5 (words, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '._/:@#-'", detail = 'none');

-- The words of search_words, in order.
create virtual table search_words_vocabulary using fts5vocab (search_words, instance);

-- The words of recent entries.
create virtual table search_recent using fts5 (words, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '._/:@#-'", detail = 'none');

-- The parts of the title of a spec.
create virtual table spec_grams using fts5 (words, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '._/:@#-'", detail = 'none');

-- The parts of the name and description of a feature.
create virtual table feature_grams using fts5 (words, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '._/:@#-'", detail = 'none');

-- The key that signs the checkpoints of the log.
create table seal_keys (
  id integer primary key autoincrement,
  origin text not null,
  private_key blob not null,
  public_key blob not null
) strict;

-- 256 hashes of the Merkle tree over the log.
create table seal_tiles (
  level integer not null,
  n integer not null,
  hashes blob not null,
  primary key (level, n)
) strict;

-- The salts of the texts of an event.
create table seal_salts (
  seq integer primary key,
  salts blob not null
) strict;

-- A signed size and root of the log.
create table seal_checkpoints (
  size integer primary key,
  root blob not null,
  note text not null,
  created_at text not null
) strict;

-- A webhook with its position in the log.
create table webhooks (
  id integer primary key autoincrement,
  project_id integer references projects (id),
  url text not null,
  types text not null,
  tag text not null,
  secret text not null,
  previous_secret text,
  previous_secret_expires_at text,
  enabled integer not null default 1,
  disabled_reason text,
  after_seq integer not null,
  batch_end integer,
  failures integer not null default 0,
  failing_since text,
  last_error text,
  next_attempt_at text,
  attempted_at text,
  delivered_at text,
  server text,
  lease_expires_at text,
  created_by integer,
  updated_by integer,
  created_at text not null,
  updated_at text not null,
  version integer not null default 1,
  format text not null default 'events'
) strict;
create index webhooks_by_time on webhooks (created_at, id);
create index webhooks_of_project on webhooks (project_id, created_at, id);

-- An attempt to deliver a message to a webhook.
create table webhook_deliveries (
  id integer primary key autoincrement,
  webhook_id integer not null references webhooks (id) on delete cascade,
  message_id text not null,
  first_seq integer,
  last_seq integer,
  count integer not null,
  attempt integer not null,
  status_code integer,
  error text,
  duration_ms integer not null,
  created_at text not null
) strict;
create index webhook_deliveries_by_time on webhook_deliveries (webhook_id, created_at, id);

-- The server that does a background job.
create table job_leaders (
  job text primary key,
  server text not null,
  until text not null
) strict;

-- How far a reader of the log has read.
create table followers (
  name text primary key,
  last_seq integer not null
) strict;

-- The progress of an import; the row exists while the ledger is incomplete.
create table imports (
  id integer primary key,
  ledger text not null,
  line integer not null,
  crc32 text not null
) strict;

-- The last write that tested whether the database accepts writes.
create table health (
  id integer primary key,
  checked_at text not null
) strict;

-- What a turn changed in a file, and what its run has changed in it by then, if that differs.
create table turn_diffs (
  id integer primary key autoincrement,
  project_id integer not null references projects (id),
  run_id integer not null references runs (id) on delete cascade,
  turn_id integer not null references turns (id) on delete cascade,
  n integer not null,
  path text not null,
  facts text not null,
  document_id integer,
  whole_facts text,
  whole_document_id integer,
  created_by integer not null,
  created_at text not null,
  unique (run_id, path, n)
) strict;
create index turn_diffs_by_turn on turn_diffs (turn_id, path);

-- The turn in progress of a run, as far as it is known. Neither exported nor replayed from the log.
create table open_turns (
  run_id integer primary key references runs (id) on delete cascade,
  id integer not null unique,
  n integer not null,
  title text,
  prompt text,
  facts text not null,
  started_at text,
  seen_at text not null,
  created_by integer not null,
  created_at text not null,
  erased_at text
) strict;

-- A file that a run has written, or a folder above one, by which the run is found.
create table run_paths (
  run_id integer not null references runs (id) on delete cascade,
  path text not null,
  project_id integer not null,
  created_at text not null,
  primary key (run_id, path)
) strict;
create index runs_by_path on run_paths (project_id, path, created_at, run_id);

-- What runs are found by that is not filled in for all of them: only from this place on.
create table backfills (
  name text primary key,
  run_id integer not null,
  path text not null
) strict;

-- A run that somebody should look at, and what was decided about it.
create table attention (
  run_id integer primary key references runs (id) on delete cascade,
  project_id integer not null,
  reason text not null,
  check_name text,
  since_at text not null,
  spec_id text,
  branch text,
  author_person text,
  hidden integer not null default 0,
  state text not null default 'open',
  assignee text,
  assignee_person text,
  put_off_until text,
  resolved_at text,
  resolved_by integer,
  note text,
  updated_at text not null
) strict;
create index attention_by_state on attention (project_id, state, hidden, since_at, run_id);
create index attention_by_reason on attention (project_id, state, hidden, reason, since_at, run_id);
create index attention_by_author on attention (project_id, state, hidden, author_person, since_at, run_id);
create index attention_by_assignee on attention (project_id, state, hidden, assignee_person, since_at, run_id);
create index attention_by_branch on attention (project_id, branch, run_id) where branch is not null;
create index attention_by_spec on attention (project_id, spec_id, run_id) where spec_id is not null;
create index attention_put_off on attention (put_off_until) where state = 'put-off';

-- A model that a run used, by which the run is found, with its share of the usage.
create table run_models (
  run_id integer not null references runs (id) on delete cascade,
  model text not null,
  project_id integer not null,
  created_at text not null,
  told text,
  input_tokens integer,
  output_tokens integer,
  cache_read_tokens integer,
  cache_write_tokens integer,
  cost_usd real,
  primary key (run_id, model)
) strict;
create index runs_by_model on run_models (project_id, model, created_at, run_id);

-- The leap of the clock that a server doubts.
create table clock_leaps (
  id integer primary key,
  words text not null,
  at text not null,
  until text not null,
  ahead_ms integer not null
) strict;
