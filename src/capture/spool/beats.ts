import type { ActivityInput } from '../../nouns/run/work-fields.ts'
import { settleMs } from '../../recorder/agents/tools.ts'
import type { Database } from './database.ts'

/** The pause between two heartbeats of a session, in milliseconds. */
export const pauseMs = 5_000
/** A heartbeat this late was abandoned by the process that had taken it. */
const lateMs = 20_000

/** A heartbeat to send. */
export interface Beat {
  name: string
  /** What identifies it, in milliseconds since 1970. */
  due: number
  /** When to send it, in milliseconds since 1970. That is later for a wait that may not be one for a person. */
  at: number
}

/** What sessions currently do, and when their servers should learn it. */
export interface Beats {
  /**
   * Records a report of a session, its activity and its current folder; null means that it has ended. Returns whether to
   * start a process that sends it, because no running process has a heartbeat of it to send.
   */
  heard(name: string, activity: ActivityInput | null, cwd?: string): boolean
  /** The last reported activity of the session; undefined if it is unknown, and after its end. */
  doing(name: string): ActivityInput | undefined
  /** The heartbeats to send for existing runs, the earliest due first. */
  beats(): Beat[]
  /** Takes a heartbeat with the newest known activity; undefined if another process has taken it, or a wait has just begun. */
  takeBeat(beat: Beat): ActivityInput | undefined
}

export function beatsIn(db: Database): Beats {
  return {
    heard: (name, activity, cwd) =>
      db.together(() => {
        const now = Date.now()
        const soon = now + (activity && isUrgent(db, name, activity) ? settleMs : pauseMs)
        db.run(
          'update recordings set last_heard = ?, activity = ?, last_cwd = coalesce(?, last_cwd) where name = ?',
          ...[now, activity && JSON.stringify(activity), cwd ?? null, name],
        )
        if (activity === null) {
          db.run('update recordings set beat_due = null where name = ?', name)
          return false
        }
        return (
          db.run(
            // After the clock was set back, an earlier heartbeat may be in the future.
            `update recordings set beat_due = min(max(?1, beaten + ${pauseMs}), ?3)
              where name = ?2 and (beat_due is null or beat_due < ?1 - ${lateMs} or beat_due > ?3)`,
            ...[now, name, soon],
          ) === 1
        )
      }),
    doing: (name) => doing(db, name),
    beats: () =>
      db.rows<Beat>(
        `select name, beat_due as due, max(beat_due, ${settledAt}) as at from recordings
          where beat_due is not null and activity is not null and run_id is not null and ended = 0 and refused is null
          order by at`,
        Date.now(),
      ),
    takeBeat: ({ name, due }) =>
      db.together(() => {
        const text = `update recordings set beat_due = null, beaten = ?1
          where name = ?2 and beat_due = ?3 and ${settledAt} <= ?1`
        if (db.run(text, Date.now(), name, due) === 0) return undefined
        return doing(db, name)
      }),
  }
}

/** When a wait becomes one for a person, at the time ?1; 0 for other activities, and after the clock was set back. */
const settledAt = `iif(activity ->> 'state' = 'waiting' and last_heard <= ?1, last_heard + ${settleMs}, 0)`

/** Whether people should hear at once of what has changed: a wait has begun, or one that the server knows of is over. */
function isUrgent(db: Database, name: string, { state, since }: ActivityInput): boolean {
  const before = doing(db, name)
  if (state === 'waiting') return before?.state !== 'waiting' || before.since !== since
  if (before?.state !== 'waiting') return false
  return db.rows('select 1 as one from recordings where name = ? and beaten > last_heard', name).length > 0
}

function doing(db: Database, name: string): ActivityInput | undefined {
  const [row] = db.rows<{ activity: string | null }>('select activity from recordings where name = ?', name)
  return JSON.parse(row?.activity ?? 'null') ?? undefined
}
