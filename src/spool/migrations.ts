/**
 * Migrates state.db from each version to the next. `pragma user_version` counts the applied ones. The list only grows.
 * A new column has a default or allows null, because programs of version 0 ignore the version.
 */
export const migrations: readonly string[] = [
  // Files of version 0 already have these tables.
  `create table if not exists recordings (
    name text primary key, kind text not null, place text not null, cwd text not null,
    run_id text, lease_token text, ended integer not null default 0, refused text, memo text not null default '{}',
    holder text, held_until integer not null default 0, created_at integer not null
  ) strict;
  create table if not exists calls (
    id integer primary key autoincrement,
    name text not null references recordings (name),
    operation text not null, input text not null, key text not null
  ) strict;
  create index if not exists calls_by_name on calls (name, id);
  create table if not exists notes (
    id integer primary key autoincrement,
    name text not null references recordings (name) on delete cascade,
    at integer not null, key text not null, due integer not null, settled integer not null default 0, seen text not null,
    unique (name, key)
  ) strict;
  create index if not exists notes_by_name on notes (name, id) where settled = 0;`,

  // The recording process, why the last delivery failed, and indexes of what is still open.
  `alter table recordings add column process text;
  alter table recordings add column trouble text;
  create index recordings_by_cwd on recordings (cwd, created_at) where ended = 0;
  create index recordings_by_run on recordings (run_id) where ended = 0;
  update recordings set refused = null where refused like 'There is no project %';`,

  // Where the next text is appended.
  `alter table recordings add column appended integer;`,

  // The session that hooks record, by its agent's id, and the process of the agent.
  `alter table recordings add column session text;
  alter table recordings add column agent_process text;
  update recordings set session = substr(name, instr(name, '-') + 1) where kind = 'hook';`,

  // The last report and activity, and when to send it; the tree of a note; and what sessions do side by side in one
  // working tree.
  `alter table recordings add column agent text;
  alter table recordings add column last_heard integer;
  alter table recordings add column activity text;
  alter table recordings add column beat_due integer;
  alter table recordings add column beaten integer not null default 0;
  update recordings set agent = case
    when name like 'claude-%' then 'claude-code' when name like 'codex-%' then 'codex' else 'cursor' end
    where kind = 'hook';
  alter table notes add column git text;
  create table acts (
    id integer primary key autoincrement,
    name text not null references recordings (name) on delete cascade,
    root text, path text, target text, began integer not null, ended integer, git text
  ) strict;
  create index acts_by_name on acts (name, target) where ended is null;
  create index acts_by_time on acts (began);`,

  // All processes of agents that have worked on a session: a resumed session continues in another one.
  `create table session_processes (
    name text not null references recordings (name) on delete cascade,
    process text not null,
    primary key (name, process)
  ) strict;
  create index session_processes_by_process on session_processes (process);
  insert into session_processes select name, agent_process from recordings where agent_process is not null;`,

  // Whether the agent's process has sent a second hook. A process seen once may only have started that hook.
  `alter table recordings add column agent_proven integer not null default 0;`,

  // The folder of the last report, which may be another one than that in which the session began.
  `alter table recordings add column last_cwd text;
  create index acts_by_target on acts (name, target) where git is not null;`,
]
