import { randomUUID } from 'node:crypto'
import type { Seen } from '../../recorder/agents/seen.ts'
import { againMs } from '../../recorder/agents/tools.ts'
import { insertCalls, type QueuedCall } from './calls.ts'
import type { Database } from './database.ts'
import { insertOwed, type Owed } from './diffs.ts'
import { insertRecording, type NewRecording, type Recording } from './recordings.ts'

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
export type NoteKey = string | { kind: Seen['step']['kind']; digest: string }

/** What several processes may change in a memo. */
interface SharedMemo {
  n?: number
  open?: number
  isChecked?: true
}

type Settled = Pick<Recording, 'memo' | 'ended'> & { was?: SharedMemo }

export interface Notes {
  /**
   * Stores a report for the recording, which is created if it is new. Unless it is `due`, it may wait for the next one.
   * Returns its key; undefined for a report that was noted before, with the same key or within two seconds with the same
   * digest, unless that note is still to be completed.
   */
  note(recording: NewRecording, seen: Seen, key: NoteKey, due: boolean, git?: object): string | undefined
  /** Whether there is, or was, a note with that key. */
  isNoted(name: string, key: NoteKey): boolean
  /** Adds the working tree to a note, unless it is settled, and makes it due. */
  complete(name: string, key: string, git: object | undefined): void
  /** Names of recordings with due notes. */
  noted(): string[]
  /** The unsettled notes, oldest first. */
  notes(name: string): Note[]
  /**
   * Replaces these notes by calls, and by the diffs to make of turns. Does nothing and returns false if another process has
   * done so, or has given the turns of the memo that was read, `was`, other numbers.
   */
  settle(name: string, ids: number[], calls: QueuedCall[], outcome: Settled, owed?: Owed[]): boolean
}

export function notesIn(db: Database): Notes {
  return {
    note: (recording, seen, given, due, git) =>
      db.together(() => {
        const now = Date.now()
        insertRecording(db, recording)
        const before = sameIn(db, recording.name, given, now)
        if (before) return before.isOpen ? before.key : undefined
        const key = typeof given === 'string' ? given : `${given.kind} ${given.digest} ${randomUUID()}`
        db.run(
          'insert into notes (name, at, key, due, seen, git) values (?, ?, ?, ?, ?, ?)',
          ...[recording.name, now, key, Number(due), JSON.stringify(seen), git ? JSON.stringify(git) : null],
        )
        return key
      }),
    isNoted: (name, key) => sameIn(db, name, key, Date.now()) !== undefined,
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
    settle: (name, ids, calls, { memo, ended, was }, owed = []) =>
      db.together(() => {
        const these = 'settled = 0 and id in (select value from json_each(?))'
        const [left] = db.rows<{ count: number }>(
          `select count(*) as count from notes where ${these}`,
          JSON.stringify(ids),
        )
        const [row] = db.rows<{ memo: string }>('select memo from recordings where name = ?', name)
        const { n, open, isChecked }: SharedMemo = JSON.parse(row?.memo ?? '{}')
        // Another process has given its turns other numbers.
        const isRenumbered = was && (n !== was.n || open !== was.open)
        if (left?.count !== ids.length || isRenumbered) return false
        // The key stays, to recognise the same note if it comes again; its text does not.
        db.run(`update notes set settled = 1, seen = '', git = null where ${these}`, JSON.stringify(ids))
        // A check may have come since the memo was read.
        const now = { ...memo, ...(isChecked && !was?.isChecked && { isChecked }) }
        db.run('update recordings set memo = ?, ended = ? where name = ?', JSON.stringify(now), Number(ended), name)
        insertCalls(db, name, calls)
        insertOwed(db, name, owed)
        return true
      }),
  }
}

/**
 * The note of the same report, and whether it waits to be completed; undefined if there is none. A report without an id
 * counts as another one if a prompt or the end of a turn came between.
 */
function sameIn(db: Database, name: string, key: NoteKey, now: number): { key: string; isOpen: boolean } | undefined {
  const between = `select 1 from notes later where later.name = notes.name and later.id > notes.id
    and later.key not like ? and (later.key like 'prompt %' or later.key like 'turn %')`
  const [where, ...values] =
    typeof key === 'string'
      ? ['key = ?', key]
      : [
          `key between ? and ? and abs(at - ?) < ? and not exists (${between})`,
          ...[`${key.kind} ${key.digest} `, `${key.kind} ${key.digest} ~`, now, againMs, `${key.kind} %`],
        ]
  const rows = db.rows<{ key: string; isOpen: number }>(
    `select key, due = 0 and settled = 0 as "isOpen" from notes where name = ? and ${where}`,
    ...[name, ...values],
  )
  return rows[0] && { key: rows[0].key, isOpen: rows[0].isOpen === 1 }
}
