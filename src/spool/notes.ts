import type { Seen } from '../agents/agent.ts'
import { type Call, insertCalls } from './calls.ts'
import type { Database, Stored } from './database.ts'
import { insertRecording, type New, type Recording } from './recordings.ts'

/** What a hook saw, kept in the state until calls are made of it. */
export interface Note {
  id: number
  /** Milliseconds since 1970. */
  at: number
  seen: Seen
}

export interface Notes {
  /**
   * Keeps what was seen of the recording, which is made where it is new. A second note of the same key is the same. It
   * may wait for the next one unless it is `due`.
   */
  note(recording: New, seen: Seen, key: string, due: boolean): void
  /** Names of recordings with notes that are due. */
  noted(): string[]
  /** The notes that are not settled, oldest first. */
  notes(name: string): Note[]
  /** Puts calls in the place of these notes; false, and nothing is done, where another process has done so. */
  settle(name: string, ids: number[], calls: Call[], told: Pick<Recording, 'memo' | 'ended'>): boolean
}

export function notesIn(db: Database): Notes {
  return {
    note: (recording, seen, key, due) =>
      db.together(() => {
        insertRecording(db, recording)
        db.run(
          'insert into notes (name, at, key, due, seen) values (?, ?, ?, ?, ?) on conflict do nothing',
          ...[recording.name, Date.now(), key, Number(due), JSON.stringify(seen)],
        )
      }),
    noted: () =>
      db
        .rows<{ name: string }>('select distinct name from notes where settled = 0 and due = 1 order by name')
        .map(({ name }) => name),
    notes: (name) =>
      db
        .rows<Stored<Note, 'seen'>>('select id, at, seen from notes where name = ? and settled = 0 order by id', name)
        .map((row) => ({ ...row, seen: JSON.parse(row.seen) })),
    settle: (name, ids, calls, { memo, ended }) =>
      db.together(() => {
        const these = 'settled = 0 and id in (select value from json_each(?))'
        const [left] = db.rows<{ count: number }>(
          `select count(*) as count from notes where ${these}`,
          JSON.stringify(ids),
        )
        if (left?.count !== ids.length) return false
        // The key stays, so that the same note is known when it is told again; its words do not.
        db.run(`update notes set settled = 1, seen = '' where ${these}`, JSON.stringify(ids))
        db.run('update recordings set memo = ?, ended = ? where name = ?', JSON.stringify(memo), Number(ended), name)
        insertCalls(db, name, calls)
        return true
      }),
  }
}
