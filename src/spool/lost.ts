import { leaseSeconds } from '../agents/activity.ts'
import type { Step } from '../agents/seen.ts'
import type { Database } from './database.ts'
import { isGone } from './process.ts'

/** A session that goes on, as far as its hooks told. */
export interface Silent {
  name: string
  session: string
  cwd: string
  agent: string
  /** When it was last heard, in milliseconds since 1970. */
  at: number
}

/** Sessions that end without a word. */
export interface Lost {
  /** Notes the end of sessions that stopped in the middle of a turn, and of which nothing was heard until their lease ran out. */
  endLost(): void
  /** The sessions whose agent has ended: its process is gone. One that a single hook came from may not be the agent's. */
  deserted(): Silent[]
  /** Notes the end of such a session; nothing where it was heard again meanwhile. */
  endDeserted(session: Silent): void
  /** Whether a session of which the process is known was heard to rest within so many milliseconds. */
  hasJustRested(ms: number): boolean
}

export function lostIn(db: Database): Lost {
  return {
    endLost: () => db.together(() => endLost(db)),
    deserted: () =>
      db
        .rows<Silent & { process: string }>(
          `select name, session, cwd, agent, last_heard as at, agent_process as process from recordings r
            where ${isSilent} and agent_proven = 1 and last_heard is not null`,
        )
        .filter(({ process }) => isGone(JSON.parse(process)))
        .map(({ process: _, ...session }) => session),
    endDeserted: (session) =>
      db.together(() => {
        const found = db.rows(
          `select 1 from recordings r where ${isSilent} and name = ? and last_heard = ?`,
          ...[session.name, session.at],
        )
        if (found.length > 0) noteEnd(db, session, 'gone', { kind: 'end', isGone: true })
      }),
    hasJustRested: (ms) =>
      db.rows(
        `select 1 from recordings where kind = 'hook' and ended = 0 and agent_proven = 1 and last_heard > ?
          and json_extract(activity, '$.state') = 'idle' limit 1`,
        Date.now() - ms,
      ).length > 0,
  }
}

/** It goes on, and nothing of it waits to be settled. */
const isSilent = `kind = 'hook' and ended = 0
  and not exists (select 1 from notes n where n.name = r.name and n.settled = 0 and n.due = 1)`

function endLost(db: Database) {
  const open = db.rows<Silent>(
    `select name, session, cwd, agent, at from (
        select name, session, cwd, agent, activity, coalesce(last_heard, (select max(at) from notes n where n.name = r.name)) as at
          from recordings r where ${isSilent}
            and (json_extract(memo, '$.draft') is not null or json_extract(memo, '$.turn') is not null
              or exists (select 1 from notes n where n.name = r.name and n.settled = 0))
      ) where at + 1000 * case when json_extract(activity, '$.state') = 'working' then ? else ? end < ?`,
    ...[leaseSeconds.working, leaseSeconds.resting, Date.now()],
  )
  for (const session of open) noteEnd(db, session, 'lost', { kind: 'end', failure: expired })
}

const expired = { code: 'LEASE_EXPIRED', message: 'Nothing was heard of the session until its lease ran out.' }

/** Notes that the session ended when it was last heard. */
function noteEnd(db: Database, { name, session, cwd, agent, at }: Silent, why: string, step: Step) {
  db.run(
    'insert into notes (name, at, key, due, seen) values (?, ?, ?, 1, ?) on conflict do nothing',
    ...[name, at, `${why} ${at}`, JSON.stringify({ agent, session, cwd, step })],
  )
}
