// The tables of state.db. `pragma user_version` is the version of a file; it is 0 in a new one and in one of Conduct 0.1.

/** The version of `tables`. */
export const firstVersion = 8

/** The tables of sessions side by side, and indexes, which version 0.1 did not have. */
const added = `
  create index recordings_by_cwd on recordings (cwd, created_at) where ended = 0;
  create index recordings_by_run on recordings (run_id) where ended = 0;

  -- What sessions do side by side in one working tree.
  create table acts (
    id integer primary key autoincrement,
    name text not null references recordings (name) on delete cascade,
    root text, path text, target text, began integer not null, ended integer, git text
  ) strict;
  create index acts_by_name on acts (name, target) where ended is null;
  create index acts_by_time on acts (began);
  create index acts_by_target on acts (name, target) where git is not null;

  -- All processes of agents that have worked on a session: a resumed session continues in another one.
  create table session_processes (
    name text not null references recordings (name) on delete cascade,
    process text not null,
    primary key (name, process)
  ) strict;
  create index session_processes_by_process on session_processes (process);`

/** Creates a new file of the first version. Frozen, because such files exist: a change is an entry of `later`. */
export const tables = `
  create table recordings (
    name text primary key, kind text not null, place text not null, cwd text not null,
    run_id text, lease_token text, ended integer not null default 0, refused text, memo text not null default '{}',
    holder text, held_until integer not null default 0, created_at integer not null,
    -- The recording process, and why the last delivery failed.
    process text, trouble text,
    -- Where the next text is appended.
    appended integer,
    -- The session that hooks record, by its agent's id, and the process of the agent.
    session text, agent_process text, agent text,
    -- The last report and activity, and when to send it.
    last_heard integer, activity text, beat_due integer, beaten integer not null default 0,
    -- Whether the agent's process has sent a second hook. A process seen once may only have started that hook.
    agent_proven integer not null default 0,
    -- The folder of the last report, which may be another one than that in which the session began.
    last_cwd text
  ) strict;

  create table calls (
    id integer primary key autoincrement,
    name text not null references recordings (name),
    operation text not null, input text not null, key text not null
  ) strict;
  create index calls_by_name on calls (name, id);

  create table notes (
    id integer primary key autoincrement,
    name text not null references recordings (name) on delete cascade,
    at integer not null, key text not null, due integer not null, settled integer not null default 0, seen text not null,
    -- The working tree at that moment.
    git text,
    unique (name, key)
  ) strict;
  create index notes_by_name on notes (name, id) where settled = 0;
${added}`

/** Migrates a file of version 0.1 to the first version. Frozen. */
export const fromVersion01 = `
  alter table recordings add column process text;
  alter table recordings add column trouble text;
  alter table recordings add column appended integer;
  alter table recordings add column session text;
  alter table recordings add column agent_process text;
  alter table recordings add column agent text;
  alter table recordings add column last_heard integer;
  alter table recordings add column activity text;
  alter table recordings add column beat_due integer;
  alter table recordings add column beaten integer not null default 0;
  alter table recordings add column agent_proven integer not null default 0;
  alter table recordings add column last_cwd text;
  alter table notes add column git text;
${added}
  update recordings set refused = null where refused like 'There is no project %';
  update recordings set
    session = substr(name, instr(name, '-') + 1),
    agent = case when name like 'claude-%' then 'claude-code' when name like 'codex-%' then 'codex' else 'cursor' end
    where kind = 'hook';`

/** Migrates each version to the next, from the first on. The list only grows. */
export const later: readonly string[] = [
  // The texts of commands that have not ended. Their ends are then unknown, as if no hook had begun them.
  'update acts set target = null, git = null where target is not null;',
  // By how many milliseconds the clock of this machine is ahead of the server's, once that refused a time for it.
  'alter table recordings add column ahead_ms integer;',
]

export const latestVersion = firstVersion + later.length
