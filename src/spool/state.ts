import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Name } from '../api/paths.ts'
import type { Place } from '../cli/place/connect.ts'
import { type Env, folders, privateFolder } from '../cli/place/folders.ts'
import type { Memo } from '../cli/record/session.ts'
import { withoutPassword } from '../setting.ts'
import { type Notes, notesIn, notesSchema } from './notes.ts'

/** A call that is still to be sent: its input without runId and leaseToken, which the recording knows. */
export interface Call {
  operation: Name
  input: Record<string, unknown>
  /** The Idempotency-Key: the same with each try, so that the call happens once. */
  key: string
}

/** One run as this machine records it: what its server knows of it, and who holds it. */
export interface Recording {
  /** Unique on this machine: `exec-<uuid>`, `claude-<session>`. */
  name: string
  kind: 'exec' | 'hook' | 'mcp'
  /** As it was, but for the password of a database. */
  place: Place
  cwd: string
  /** Known once createRun was answered. */
  runId: string | null
  leaseToken: string | null
  /** Whether its end was recorded, sent or not. */
  ended: boolean
  /** Why its calls are not sent any more; null while they are. */
  refused: string | null
  /** What the notes that were settled leave for the next. */
  memo: Memo
}

export interface Queued extends Call {
  id: number
}

export type New = Pick<Recording, 'name' | 'kind' | 'place' | 'cwd'>

/** A recording with calls that its server has not acknowledged. */
export interface Unsent extends Recording {
  calls: number
}

/** What must outlive a process: recordings and the calls that their server has not acknowledged. All is on disk when a function returns. */
export interface State extends Notes {
  /** The recording of that name, made where it is new. */
  record(recording: New): Recording
  find(name: string): Recording | undefined
  /** Those whose end was not recorded, newest first. */
  open(): Recording[]
  update(name: string, fields: Partial<Pick<Recording, 'runId' | 'leaseToken' | 'ended' | 'refused'>>): void
  /** Adds calls, to be sent in this order. */
  queue(name: string, ...calls: Call[]): void
  /** Names of recordings with unsent calls that were not refused, oldest call first. */
  waiting(): string[]
  /** All recordings with unsent calls, refused or not, oldest call first. */
  unsent(): Unsent[]
  /** How many characters of calls are not sent yet. */
  size(name: string): number
  /** The oldest unsent call. */
  next(name: string): Queued | undefined
  /** Takes an acknowledged call off, and keeps what its answer told, at once. */
  done(id: number, name: string, told?: Partial<Pick<Recording, 'runId' | 'leaseToken'>>): void
  /** Makes `holder` the one process that sends a recording's calls, for `ms`; false while another is. */
  claim(name: string, holder: string, ms: number): boolean
  release(name: string, holder: string): void
  /** Forgets a recording with all that was not sent of it; false where there is none. */
  discard(name: string): boolean
  /** Forgets recordings that ended, have nothing to send and are older than so many days; of sessions also those without an end. */
  forget(days: number): void
  close(): void
}

const schema = `
  create table if not exists recordings (
    name text primary key, kind text not null, place text not null, cwd text not null,
    run_id text, lease_token text, ended integer not null default 0, refused text, memo text not null default '{}',
    holder text, held_until integer not null default 0, created_at integer not null
  ) strict;
  create table if not exists calls (
    id integer primary key autoincrement,
    name text not null references recordings (name),
    operation text not null, input text not null, key text not null
  ) strict;
  create index if not exists calls_by_name on calls (name, id);`

const table = {
  columns: `name, kind, place, cwd, run_id as "runId", lease_token as "leaseToken", ended, refused, memo`,
  names: { runId: 'run_id', leaseToken: 'lease_token', ended: 'ended', refused: 'refused' },
} as const

type Row = Record<string, string | number | null>

/** Secrets are asked for when they are needed, and kept nowhere. */
const kept = (place: Place): Place =>
  place.kind === 'local' ? { ...place, databaseUrl: withoutPassword(place.databaseUrl) } : place

const recordingOf = ({ place, memo, ended, ...row }: Row) =>
  ({
    ...row,
    place: JSON.parse(place as string),
    memo: JSON.parse(memo as string),
    ended: ended === 1,
  }) as unknown as Recording

/**
 * Opens the state of this user, made where it is missing. Several processes may have it open; a busy one is waited for.
 * Of the file `:memory:` nothing outlives the process.
 */
export function openState(env: Env, file = join(privateFolder(folders.state(env)), 'state.db')): State {
  const db = new DatabaseSync(file, { timeout: 5_000 })
  db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on')
  db.exec(schema)
  db.exec(notesSchema)
  const run = (text: string, ...values: (string | number | null)[]) => db.prepare(text).run(...values).changes
  const rows = (text: string, ...values: (string | number)[]) => db.prepare(text).all(...values) as Row[]

  /** All of the work or, when it throws, nothing of it. */
  function together<T>(work: () => T): T {
    db.exec('begin immediate')
    try {
      const result = work()
      db.exec('commit')
      return result
    } catch (error) {
      if (db.isTransaction) db.exec('rollback')
      throw error
    }
  }

  function find(name: string): Recording | undefined {
    const [row] = rows(`select ${table.columns} from recordings where name = ?`, name)
    return row && recordingOf(row)
  }

  function update(name: string, fields: Parameters<State['update']>[1]) {
    for (const [field, value] of Object.entries(fields) as [keyof typeof table.names, string | boolean | null][]) {
      if (value === undefined) continue
      run(
        `update recordings set ${table.names[field]} = ? where name = ?`,
        typeof value === 'boolean' ? Number(value) : value,
        name,
      )
    }
  }

  function record({ name, kind, place, cwd }: New) {
    run(
      `insert into recordings (name, kind, place, cwd, created_at) values (?, ?, ?, ?, ?) on conflict do nothing`,
      ...[name, kind, JSON.stringify(kept(place)), cwd, Date.now()],
    )
  }

  function queue(name: string, calls: Call[]) {
    for (const { operation, input, key } of calls) {
      const text = JSON.stringify(input)
      run('insert into calls (name, operation, input, key) values (?, ?, ?, ?)', name, operation, text, key)
    }
  }

  return {
    ...notesIn({ run, rows, together, record, queue }),
    find,
    update: (name, fields) => together(() => update(name, fields)),
    record(recording) {
      record(recording)
      return find(recording.name) as Recording
    },
    open: () =>
      rows(`select ${table.columns} from recordings where ended = 0 order by created_at desc, rowid desc`).map(
        recordingOf,
      ),
    queue: (name, ...calls) => together(() => queue(name, calls)),
    waiting: () =>
      rows(`select c.name from calls c join recordings r on r.name = c.name
        where r.refused is null group by c.name order by min(c.id)`).map(({ name }) => name as string),
    unsent: () =>
      rows(`select ${table.columns}, u.calls from recordings
        join (select name as of, count(*) as calls, min(id) as first from calls group by name) u on u.of = name
        order by u.first`).map((row) => ({ ...recordingOf(row), calls: row.calls as number })),
    size(name) {
      const [row] = rows('select coalesce(sum(length(input)), 0) as size from calls where name = ?', name)
      return row?.size as number
    },
    next(name) {
      const [row] = rows('select id, operation, input, key from calls where name = ? order by id limit 1', name)
      return row && ({ ...row, input: JSON.parse(row.input as string) } as unknown as Queued)
    },
    done: (id, name, told = {}) =>
      together(() => {
        update(name, told)
        run('delete from calls where id = ?', id)
      }),
    claim: (name, holder, ms) =>
      run(
        'update recordings set holder = ?, held_until = ? where name = ? and (holder is null or holder = ? or held_until < ?)',
        ...[holder, Date.now() + ms, name, holder, Date.now()],
      ) === 1,
    release: (name, holder) => {
      run('update recordings set holder = null where name = ? and holder = ?', name, holder)
    },
    discard: (name) =>
      together(() => {
        run('delete from calls where name = ?', name)
        return run('delete from recordings where name = ?', name) === 1
      }),
    forget: (days) => {
      const before = Date.now() - days * 86_400_000
      run(
        `delete from recordings where (ended = 1 or kind = 'hook') and created_at < ?1
          and not exists (select 1 from calls where calls.name = recordings.name)
          and not exists (select 1 from notes where notes.name = recordings.name and (at >= ?1 or settled = 0 and due = 1))`,
        before,
      )
    },
    close: () => db.close(),
  }
}
