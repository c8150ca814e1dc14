import type { ActivityInput } from '../api/work.ts'
import type { Database } from './database.ts'

/** The pause between two heartbeats of a session, in milliseconds. */
const pauseMs = 5_000
/** One that is so late was given up by the process that had taken it on. */
const lateMs = 20_000

/** A heartbeat that is to be sent. */
export interface Beat {
  name: string
  /** In milliseconds since 1970. */
  due: number
}

/** What sessions do at the moment, and when their servers should hear of it. */
export interface Beats {
  /**
   * Notes that a session was heard, and what it does; null: it has ended. Returns whether somebody must be woken to send
   * that, since nobody has a heartbeat of it to send.
   */
  heard(name: string, activity: ActivityInput | null): boolean
  /** What the session was last heard to do; undefined where that is not known, and after its end. */
  doing(name: string): ActivityInput | undefined
  /** The heartbeats that are to be sent of runs that are there, the first one first. */
  beats(): Beat[]
  /** Takes a heartbeat on, with the newest that is known; undefined where another process has done so. */
  takeBeat(beat: Beat): ActivityInput | undefined
}

export function beatsIn(db: Database): Beats {
  return {
    heard: (name, activity) =>
      db.together(() => {
        const now = Date.now()
        db.run(
          'update recordings set last_heard = ?, activity = ? where name = ?',
          now,
          activity && JSON.stringify(activity),
          name,
        )
        if (activity === null) {
          db.run('update recordings set beat_due = null where name = ?', name)
          return false
        }
        return (
          db.run(
            `update recordings set beat_due = max(?1, beaten + ${pauseMs})
              where name = ?2 and (beat_due is null or beat_due < ?1 - ${lateMs})`,
            ...[now, name],
          ) === 1
        )
      }),
    doing: (name) => doing(db, name),
    beats: () =>
      db.rows<Beat>(
        `select name, beat_due as due from recordings
          where beat_due is not null and activity is not null and run_id is not null and ended = 0 and refused is null
          order by beat_due`,
      ),
    takeBeat: ({ name, due }) =>
      db.together(() => {
        const text = 'update recordings set beat_due = null, beaten = ? where name = ? and beat_due = ?'
        if (db.run(text, Date.now(), name, due) === 0) return undefined
        return doing(db, name)
      }),
  }
}

function doing(db: Database, name: string): ActivityInput | undefined {
  const [row] = db.rows<{ activity: string | null }>('select activity from recordings where name = ?', name)
  return JSON.parse(row?.activity ?? 'null') ?? undefined
}
