import { DatabaseSync } from 'node:sqlite'
import { whenFree } from '../../engine/busy.ts'
import { makePrivate } from '../../system/private.ts'

type Value = string | number | null

/** A row of `T` with these fields as JSON. */
export type JsonRow<T, Field extends keyof T> = Omit<T, Field> & Record<Field, string>

/** The open file. Everything is on disk when a function returns. */
export interface Database extends Disposable {
  /** Runs a statement. Returns how many rows it changed. */
  run(text: string, ...values: Value[]): number
  /** The rows that a statement selects. The caller knows its columns. */
  rows<Row extends object>(text: string, ...values: Value[]): Row[]
  /** Does all of the work or, if it throws, none of it. */
  together<T>(work: () => T): T
  /** Empties the write-ahead log. Does nothing while another process uses it. */
  emptyLog(): void
  close(): void
}

/** How long to wait for another process that writes, in milliseconds. */
const busyMs = 5_000

/** Opens the file and migrates it. Throws an Error if a newer program, or one between two releases, has written it. */
export function openDatabase(file: string): Database {
  if (file !== ':memory:') tryPrivate(file)
  const db = new DatabaseSync(file, { timeout: busyMs })
  try {
    requireReleased(db, file)
    // Hook reports are not masked yet, so freed pages are overwritten. The WAL keeps them until its next checkpoint.
    db.exec('pragma secure_delete = on')
    whenFree(() => db.exec('pragma journal_mode = wal'), busyMs)
    db.exec('pragma synchronous = full; pragma foreign_keys = on')
    const database = databaseOf(db)
    const before = versionOf(db)
    if (before < latestVersion) database.together(() => migrate(db, file))
    // Earlier versions left texts in freed pages.
    if (before > 0 && before < latestVersion) whenFree(() => db.exec('vacuum'), busyMs)
    return database
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * SQLite gives the files beside it the same mode, and says what is wrong with a file that cannot be opened. A file that is
 * there is not opened here: closing it would release the locks of this process's other connections to it.
 */
function tryPrivate(file: string) {
  try {
    makePrivate(file)
  } catch {}
}

function databaseOf(db: DatabaseSync): Database {
  return {
    run: (text, ...values) => Number(db.prepare(text).run(...values).changes),
    rows: <Row extends object>(text: string, ...values: Value[]) => db.prepare(text).all(...values) as Row[],
    together(work) {
      if (db.isTransaction) return work()
      db.exec('begin immediate')
      try {
        const result = work()
        db.exec('commit')
        return result
      } catch (error) {
        if (db.isTransaction) db.exec('rollback')
        throw error
      }
    },
    emptyLog() {
      // The first one writes most of it without keeping anybody waiting.
      db.exec('pragma wal_checkpoint(passive); pragma busy_timeout = 0')
      try {
        db.exec('pragma wal_checkpoint(truncate)')
      } finally {
        db.exec(`pragma busy_timeout = ${busyMs}`)
      }
    },
    close: () => db.close(),
    [Symbol.dispose]: () => db.close(),
  }
}

const versionOf = (db: DatabaseSync) => Number(db.prepare('pragma user_version').get()?.user_version)

function requireReleased(db: DatabaseSync, file: string) {
  const version = versionOf(db)
  if (version > latestVersion) {
    throw new Error(
      `${file} was written by a newer Conduct (file version ${version}; this one supports up to ${latestVersion}): upgrade this one`,
    )
  }
  if (version === 0 || version >= firstVersion) return
  throw new Error(
    `${file} has file version ${version}, which no release of Conduct wrote: run conduct sync with the Conduct that wrote it, then delete the file`,
  )
}

function migrate(db: DatabaseSync, file: string) {
  // Another process may have been faster.
  requireReleased(db, file)
  if (versionOf(db) === 0) db.exec(isOfVersion01(db) ? fromVersion01 : tables)
  for (const statements of later.slice(Math.max(versionOf(db) - firstVersion, 0))) db.exec(statements)
  db.exec(`pragma user_version = ${latestVersion}`)
}

const isOfVersion01 = (db: DatabaseSync) =>
  db.prepare("select 1 from sqlite_schema where name = 'recordings'").get() !== undefined

// The tables of state.db. `pragma user_version` is the version of a file; it is 0 in a new one and in one of Conduct 0.1.

/** The version of `tables`. */
const firstVersion = 8

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
const tables = `
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
const fromVersion01 = `
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
const later: readonly string[] = [
  // The texts of commands that have not ended. Their ends are then unknown, as if no hook had begun them.
  'update acts set target = null, git = null where target is not null;',
  // By how many milliseconds the clock of this machine is ahead of the server's, once that refused a time for it.
  'alter table recordings add column ahead_ms integer;',
  // The turns of sessions whose diffs are still to be made: their trees, and the paths of their files.
  `create table diffs (
    id integer primary key autoincrement,
    name text not null references recordings (name) on delete cascade,
    n integer not null, trees text not null
  ) strict;
  create index diffs_by_name on diffs (name);`,
  // The other working tree of its repository that a session has entered.
  'alter table recordings add column tree text;',
]

export const latestVersion = firstVersion + later.length
