import type { Seen } from '../agents/seen.ts'
import { type Call, insertCalls } from './calls.ts'
import type { Database } from './database.ts'
import { insertRecording, type New, type Recording } from './recordings.ts'

/** What a hook reported, kept until it is turned into calls. */
export interface Note {
  id: number
  /** Milliseconds since 1970. */
  at: number
  seen: Seen
  /** The working tree at that moment, in the form of the code that took it; null if nobody did. */
  git: object | null
}

/** Identifies a report: by the id that the agent gave it, or else by the digest of its document. */
export type NoteKey = string | { digest: string }

/** How long after a report the same document is that report once more, in milliseconds. */
const againMs = 2_000

export interface Notes {
  /**
   * Stores a report for the recording, which is created if it is new. Unless it is `due`, it may wait for the next one.
   * Returns its key; undefined for a second note with the same key, or within two seconds with the same digest.
   */
  note(recording: New, seen: Seen, key: NoteKey, due: boolean, git?: object): string | undefined
  /** Whether there is, or was, a note with that key. */
  isNoted(name: string, key: string): boolean
  /** Adds the working tree to a note, unless it is settled, and makes it due. */
  complete(name: string, key: string, git: object | undefined): void
  /** Names of recordings with due notes. */
  noted(): string[]
  /** The unsettled notes, oldest first. */
  notes(name: string): Note[]
  /** Replaces these notes by calls. If another process has done so, does nothing and returns false. */
  settle(name: string, ids: number[], calls: Call[], told: Pick<Recording, 'memo' | 'ended'>): boolean
}

export function notesIn(db: Database): Notes {
  return {
    note: (recording, seen, given, due, git) =>
      db.together(() => {
        const now = Date.now()
        insertRecording(db, recording)
        const key = typeof given === 'string' ? given : freshKey(db, recording.name, given.digest, now)
        if (key === undefined) return undefined
        const added = db.run(
          'insert into notes (name, at, key, due, seen, git) values (?, ?, ?, ?, ?, ?) on conflict do nothing',
          ...[recording.name, now, key, Number(due), JSON.stringify(seen), git ? JSON.stringify(git) : null],
        )
        return added === 1 ? key : undefined
      }),
    isNoted: (name, key) => db.rows('select 1 from notes where name = ? and key = ?', name, key).length > 0,
    complete(name, key, git) {
      const text = 'update notes set git = ?, due = 1 where name = ? and key = ? and settled = 0'
      db.run(text, git ? JSON.stringify(git) : null, name, key)
    },
    noted: () =>
      db
        .rows<{ name: string }>('select distinct name from notes where settled = 0 and due = 1 order by name')
        .map(({ name }) => name),
    notes: (name) =>
      db
        .rows<Omit<Note, 'seen' | 'git'> & { seen: string; git: string | null }>(
          'select id, at, seen, git from notes where name = ? and settled = 0 order by id',
          name,
        )
        .map(({ seen, git, ...row }) => ({
          ...row,
          seen: JSON.parse(seen),
          git: git === null ? null : JSON.parse(git),
        })),
    settle: (name, ids, calls, { memo, ended }) =>
      db.together(() => {
        const these = 'settled = 0 and id in (select value from json_each(?))'
        const [left] = db.rows<{ count: number }>(
          `select count(*) as count from notes where ${these}`,
          JSON.stringify(ids),
        )
        if (left?.count !== ids.length) return false
        // The key stays, to recognise the same note if it comes again; its text does not.
        db.run(`update notes set settled = 1, seen = '', git = null where ${these}`, JSON.stringify(ids))
        db.run('update recordings set memo = ?, ended = ? where name = ?', JSON.stringify(memo), Number(ended), name)
        insertCalls(db, name, calls)
        return true
      }),
  }
}

/** A key for a report with that digest; undefined if there was one just now. */
function freshKey(db: Database, name: string, digest: string, now: number): string | undefined {
  const near = 'select 1 from notes where name = ? and key between ? and ? and abs(at - ?) < ?'
  return db.rows(near, name, `${digest} `, `${digest} ~`, now, againMs).length > 0 ? undefined : `${digest} ${now}`
}
