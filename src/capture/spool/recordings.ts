import { type Place, samePlace, withoutSecret } from '../../place/place.ts'
import type { Database, JsonRow } from './database.ts'
import { isGone, type ProcessId, thisProcess } from './process.ts'

/** A run as this machine records it: what is known from its server, and who holds it. */
export interface Recording {
  /** Unique on this machine: `exec-<uuid>`, `claude-<session>`. */
  name: string
  kind: 'exec' | 'hook' | 'mcp'
  /** The place at that time, without the password of a database. */
  place: Place
  cwd: string
  /** The top folder of the other working tree of the repository that a session has entered; null if it has entered none. */
  tree: string | null
  /** The folder of the last report of a session; null if unknown. */
  lastCwd: string | null
  /** Known once createRun was answered. */
  runId: string | null
  leaseToken: string | null
  /** Whether its end was recorded, sent or not. */
  ended: boolean
  /** Why its calls are no longer sent; null while they are. */
  refused: string | null
  /** Why the last delivery failed. */
  trouble: string | null
  /** Where the content of its run ends, in bytes, if known; null for recordings of earlier versions. */
  appended: number | null
  /** By how many milliseconds the clock of this machine is ahead of the server's, if that refused a time for it. */
  aheadMs: number | null
  /** What settled notes leave for the next ones, in the form of the code that settles them. */
  memo: object
  /** The agent's id of a session recorded by hooks; null for other recordings. */
  session: string | null
  /** The agent process that last reported; null if unknown. */
  agentProcess: ProcessId | null
  /** The agent's name in the ledger; null for other recordings. */
  agent: string | null
}

export type NewRecording = Pick<Recording, 'name' | 'kind' | 'place' | 'cwd'> &
  Partial<Pick<Recording, 'tree' | 'session' | 'agentProcess' | 'agent'>>
export type RecordingUpdate = Partial<
  Pick<Recording, 'runId' | 'leaseToken' | 'ended' | 'refused' | 'trouble' | 'appended' | 'aheadMs'>
>

/** A recording of a session by its hooks. */
export interface SessionRecording extends Recording {
  session: string
  /** All processes of its agent so far, including the current one. */
  processes: ProcessId[]
  /** Whether it is in progress: it has not ended, or has reported since. */
  isLive: boolean
}

/** The folder in whose working tree a session works. */
export const workFolder = ({ tree, cwd }: Pick<NewRecording, 'tree' | 'cwd'>): string => tree ?? cwd

export interface Recordings {
  /** The recording of that name, created if it is new. */
  record(recording: NewRecording): Recording
  find(name: string): Recording | undefined
  /**
   * The recordings of that place without a recorded end, newest first: of that run, or started in that folder. The
   * session of a run is included even after its end, because it may be resumed.
   */
  open(place: Place, by: { runId: string } | { cwd: string }): Recording[]
  /** The recorded sessions with one of these ids, or with an agent in one of these processes. */
  sessions(by: { ids: string[]; processes: ProcessId[] }): SessionRecording[]
  /** The recordings of a run with that id, in any project or ledger, by these processes or by sessions of these agents. */
  handedOn(runId: string, by: ProcessId[]): Recording[]
  update(name: string, fields: RecordingUpdate): void
  /**
   * Records that another hook of the session came from its agent's process. `look` finds the process, and is called
   * only if it is unknown.
   */
  prove(name: string, look: () => ProcessId | undefined): void
  /** Sets where the content ends, unless another process has done so meanwhile. */
  moveEnd(name: string, from: number, to: number): void
  /**
   * Ends the recordings of killed processes; those of `conduct mcp` a day later, because another process may continue
   * with its runs.
   */
  endGone(): void
  /** Deletes a recording with everything unsent; false if there is none. */
  discard(name: string): boolean
  /** Deletes recordings that have nothing to send, have ended or never will, and are older than that many days. */
  forget(days: number): void
}

export const columns = `name, kind, place, cwd, tree, run_id as "runId", lease_token as "leaseToken", ended, refused, trouble, appended, memo,
  session, agent_process as "agentProcess", agent, last_cwd as "lastCwd", ahead_ms as "aheadMs"`
const columnOf = {
  runId: 'run_id',
  leaseToken: 'lease_token',
  ended: 'ended',
  refused: 'refused',
  trouble: 'trouble',
  appended: 'appended',
  aheadMs: 'ahead_ms',
}

/** A recording as `columns` select it. */
export type RecordingRow = JsonRow<Omit<Recording, 'ended' | 'agentProcess'>, 'place' | 'memo'> & {
  ended: number
  agentProcess: string | null
}

const dayMs = 86_400_000

export function recordingsIn(db: Database): Recordings {
  const where = (condition: string, ...values: string[]) =>
    db.rows<RecordingRow>(`select ${columns} from recordings where ${condition}`, ...values).map(recordingOf)
  const find = (name: string) => where('name = ?', name)[0]
  return {
    find,
    record(recording) {
      insertRecording(db, recording)
      return find(recording.name) as Recording
    },
    open(place, by) {
      const [condition, value] =
        'runId' in by ? [`run_id = ? and (ended = 0 or kind = 'hook')`, by.runId] : ['cwd = ? and ended = 0', by.cwd]
      const found = where(`${condition} order by created_at desc, rowid desc`, value)
      return found.filter((one) => samePlace(one.place, place))
    },
    sessions: (by) => sessions(db, by),
    handedOn: (runId, by) =>
      where(
        `run_id = ?1 and (process in (select value from json_each(?2))
          or name in (select name from session_processes where process in (select value from json_each(?2))))`,
        runId,
        JSON.stringify(by.map(storedProcess)),
      ),
    update: (name, fields) => db.together(() => updateRecording(db, name, fields)),
    prove(name, look) {
      const [row] = db.rows<{ process: string | null }>(
        'select agent_process as process from recordings where name = ? and agent_proven = 0',
        name,
      )
      const seen = row?.process && look()
      if (!seen || storedProcess(seen) !== row.process) return
      db.run('update recordings set agent_proven = 1 where name = ? and agent_process = ?', name, row.process)
    },
    moveEnd: (name, from, to) => {
      db.run('update recordings set appended = ? where name = ? and appended = ?', to, name, from)
    },
    endGone: () => endGone(db),
    discard: (name) =>
      db.together(() => {
        db.run('delete from calls where name = ?', name)
        return db.run('delete from recordings where name = ?', name) === 1
      }),
    forget: (days) => forget(db, Date.now() - days * dayMs),
  }
}

export const recordingOf = ({ place, memo, ended, agentProcess, ...row }: RecordingRow): Recording => ({
  ...row,
  place: JSON.parse(place),
  memo: JSON.parse(memo),
  ended: ended === 1,
  agentProcess: JSON.parse(agentProcess ?? 'null'),
})

function sessions(db: Database, { ids, processes }: { ids: string[]; processes: ProcessId[] }): SessionRecording[] {
  const rows = db.rows<RecordingRow & { session: string; isLive: number; processes: string }>(
    `select ${columns}, ended = 0 or exists (
        select 1 from notes where notes.name = recordings.name and settled = 0 and due = 1
      ) as "isLive",
      (select json_group_array(json(process)) from session_processes p where p.name = recordings.name) as processes
      from recordings
      where session is not null and (session in (select value from json_each(?))
        or name in (select name from session_processes where process in (select value from json_each(?))))
      order by created_at, rowid`,
    JSON.stringify(ids),
    JSON.stringify(processes.map(storedProcess)),
  )
  return rows.map(({ isLive, processes, ...row }) => ({
    ...recordingOf(row),
    session: row.session,
    processes: JSON.parse(processes),
    isLive: isLive === 1,
  }))
}

/** The same process always gives the same text. */
const storedProcess = ({ machine, pid, started }: ProcessId) => JSON.stringify({ machine, pid, started })

/** A known session keeps its recording. If it continues in another process or with another key, that is recorded. */
export function insertRecording(db: Database, recording: NewRecording) {
  const { name, kind, place, cwd, tree = null, session = null, agentProcess, agent = null } = recording
  // A hook ends at once; what it records continues.
  const recorder = kind === 'hook' ? null : storedProcess(thisProcess())
  const above = agentProcess ? storedProcess(agentProcess) : null
  db.run(
    `insert into recordings (name, kind, place, cwd, tree, process, created_at, session, agent_process, agent)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      on conflict (name) do update set place = excluded.place, tree = coalesce(excluded.tree, tree), agent_process = coalesce(excluded.agent_process, agent_process),
        agent_proven = agent_proven and coalesce(excluded.agent_process = agent_process, 1)`,
    ...[name, kind, JSON.stringify(withoutSecret(place)), cwd, tree, recorder, Date.now(), session, above, agent],
  )
  if (above) db.run('insert into session_processes (name, process) values (?, ?) on conflict do nothing', name, above)
}

export function updateRecording(db: Database, name: string, fields: RecordingUpdate) {
  for (const [field, value] of Object.entries(fields) as [
    keyof RecordingUpdate,
    string | number | boolean | null | undefined,
  ][]) {
    if (value === undefined) continue
    const stored = typeof value === 'boolean' ? Number(value) : value
    db.run(`update recordings set ${columnOf[field]} = ? where name = ?`, stored, name)
  }
}

function endGone(db: Database) {
  const open = db.rows<{ name: string; process: string }>(
    `select name, process from recordings where ended = 0 and process is not null
      and (kind <> 'mcp' or max(created_at, held_until) < ?)`,
    Date.now() - dayMs,
  )
  for (const { name, process } of open) {
    if (isGone(JSON.parse(process))) updateRecording(db, name, { ended: true })
  }
}

function forget(db: Database, before: number) {
  // If the process cannot be checked, age decides: for hooks, earlier versions, and containers that are gone.
  db.run(
    `delete from recordings
      where (ended = 1 or process is null or json_extract(process, '$.machine') <> ?2) and created_at < ?1
      and not exists (select 1 from calls where calls.name = recordings.name)
      and not exists (select 1 from notes where notes.name = recordings.name and (at >= ?1 or settled = 0 and due = 1))`,
    before,
    thisProcess().machine,
  )
}
