import type { Seen } from '../agents/agent.ts'
import type { Call, New, Recording } from './state.ts'

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

export const notesSchema = `
  create table if not exists notes (
    id integer primary key autoincrement,
    name text not null references recordings (name) on delete cascade,
    at integer not null, key text not null, due integer not null, settled integer not null default 0, seen text not null,
    unique (name, key)
  ) strict;
  create index if not exists notes_by_name on notes (name, id) where settled = 0;`

type Value = string | number | null

/** What the state lends to its notes. */
interface Lent {
  run(text: string, ...values: Value[]): unknown
  rows(text: string, ...values: (string | number)[]): Record<string, Value>[]
  together<T>(work: () => T): T
  record(recording: New): void
  queue(name: string, calls: Call[]): void
}

export function notesIn({ run, rows, together, record, queue }: Lent): Notes {
  return {
    note: (recording, seen, key, due) =>
      together(() => {
        record(recording)
        run(
          'insert into notes (name, at, key, due, seen) values (?, ?, ?, ?, ?) on conflict do nothing',
          ...[recording.name, Date.now(), key, Number(due), JSON.stringify(seen)],
        )
      }),
    noted: () =>
      rows('select distinct name from notes where settled = 0 and due = 1 order by name').map(
        ({ name }) => name as string,
      ),
    notes: (name) =>
      rows('select id, at, seen from notes where name = ? and settled = 0 order by id', name).map(
        (row) => ({ ...row, seen: JSON.parse(row.seen as string) }) as unknown as Note,
      ),
    settle: (name, ids, calls, { memo, ended }) =>
      together(() => {
        const these = 'settled = 0 and id in (select value from json_each(?))'
        const [left] = rows(`select count(*) as count from notes where ${these}`, JSON.stringify(ids))
        if (left?.count !== ids.length) return false
        // The key stays, so that the same note is known when it is told again; its words do not.
        run(`update notes set settled = 1, seen = '' where ${these}`, JSON.stringify(ids))
        run('update recordings set memo = ?, ended = ? where name = ?', JSON.stringify(memo), Number(ended), name)
        queue(name, calls)
        return true
      }),
  }
}
