import { randomUUID } from 'node:crypto'
import type { Name } from '../../contract/paths.ts'
import type { Database, JsonRow } from './database.ts'
import {
  columns,
  type Recording,
  type RecordingRow,
  type RecordingUpdate,
  recordingOf,
  updateRecording,
} from './recordings.ts'

/** A claim takes minutes. One that ends later than this from now was made while the clock was ahead. */
const longestClaimMs = 3_600_000

/** A call to send: its input without runId and leaseToken, which the recording has. */
export interface QueuedCall {
  operation: Name
  input: Record<string, unknown>
  /**
   * The Idempotency-Key, the same in each try, so that the call takes effect once. Appends use their offset for that.
   */
  key: string
}

/** A call with its own key, unless it has one that is the same whichever process makes the call. */
export const newCall = (operation: Name, input: QueuedCall['input'], key: string = randomUUID()): QueuedCall => ({
  operation,
  input,
  key,
})

export interface Queued extends QueuedCall {
  id: number
}

/** A recording with calls that its server has not acknowledged. */
export interface Unsent extends Recording {
  calls: number
}

export interface Calls {
  /** Adds calls, to be sent in this order. */
  queue(name: string, ...calls: QueuedCall[]): void
  /** All recordings with unsent calls, refused or not, oldest call first. */
  unsent(): Unsent[]
  /** The number of characters in unsent calls. */
  size(name: string): number
  /** The oldest unsent call. */
  next(name: string): Queued | undefined
  /** The number of the newest unsent call; 0 if there is none. Numbers only grow. */
  newest(): number
  /** Changes a call before it is retried. */
  amend(id: number, changes: Partial<QueuedCall>): void
  /**
   * Removes an acknowledged call and stores what its response contained, in one step. Does nothing if another process
   * was faster.
   */
  done(id: number, name: string, changes?: RecordingUpdate): void
  /**
   * Makes `holder` the only process that sends a recording's calls, for `ms`. Returns false while another process is.
   */
  claim(name: string, holder: string, ms: number): boolean
  release(name: string, holder: string): void
}

export function callsIn(db: Database): Calls {
  return {
    queue: (name, ...calls) =>
      db.together(() => {
        insertCalls(db, name, calls)
        // From then on, the hooks of the session with that run follow its working tree.
        if (calls.some(({ operation }) => operation === 'createCheck')) {
          const those = 'name = ?1 or run_id = (select run_id from recordings where name = ?1)'
          db.run(`update recordings set memo = json_set(memo, '$.isChecked', json('true')) where ${those}`, name)
        }
      }),
    unsent: () => unsent(db),
    size(name) {
      const [row] = db.rows<{ size: number }>(
        'select coalesce(sum(length(input)), 0) as size from calls where name = ?',
        name,
      )
      return row?.size ?? 0
    },
    next(name) {
      const [row] = db.rows<JsonRow<Queued, 'input'>>(
        'select id, operation, input, key from calls where name = ? order by id limit 1',
        name,
      )
      return row && { ...row, input: JSON.parse(row.input) }
    },
    newest: () => db.rows<{ id: number | null }>('select max(id) as id from calls')[0]?.id ?? 0,
    amend(id, { operation = null, input, key = null }) {
      const text = `update calls set operation = coalesce(?, operation), input = coalesce(?, input), key = coalesce(?, key)
        where id = ?`
      db.run(text, operation, input ? JSON.stringify(input) : null, key, id)
    },
    done: (id, name, changes = {}) =>
      db.together(() => {
        if (db.run('delete from calls where id = ?', id) === 1) updateRecording(db, name, changes)
      }),
    claim: (name, holder, ms) =>
      db.run(
        `update recordings set holder = ?, held_until = ?
          where name = ? and (holder is null or holder = ? or held_until < ? or held_until > ?)`,
        ...[holder, Date.now() + ms, name, holder, Date.now(), Date.now() + longestClaimMs],
      ) === 1,
    release: (name, holder) => {
      db.run('update recordings set holder = null where name = ? and holder = ?', name, holder)
    },
  }
}

function unsent(db: Database): Unsent[] {
  const rows = db.rows<RecordingRow & { calls: number }>(
    `select ${columns}, u.calls from recordings
      join (select name as of, count(*) as calls, min(id) as first from calls group by name) u on u.of = name
      order by u.first`,
  )
  return rows.map(({ calls, ...row }) => ({ ...recordingOf(row), calls }))
}

type What = Pick<QueuedCall, 'operation' | 'input'>

/** Whether a call opens a turn. It only shows early what the turn says at its end, so nothing is lost without it. */
export const opensTurn = ({ operation, input }: What) => operation === 'appendTurn' && input.open === true

const isOpening = `operation = 'appendTurn' and json_extract(input, '$.open')`

export function insertCalls(db: Database, name: string, calls: QueuedCall[]) {
  for (const { operation, input, key } of calls) {
    // Readers need no opened turn once it is closed.
    if (operation === 'appendTurn' && !input.open) db.run(`delete from calls where name = ? and ${isOpening}`, name)
    const text = JSON.stringify(input)
    db.run('insert into calls (name, operation, input, key) values (?, ?, ?, ?)', name, operation, text, key)
  }
}
