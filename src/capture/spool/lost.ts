import type { Step } from '../../recorder/agents/seen.ts'
import { leaseSeconds } from '../../recorder/agents/tools.ts'
import type { Database } from './database.ts'
import { isGone, isRunning } from './process.ts'

/** A session in progress, as far as its hooks reported. */
interface Silent {
  name: string
  session: string
  cwd: string
  agent: string
  /** When it was last heard from, in milliseconds since 1970. */
  at: number
}

/** Sessions that end without reporting it. */
export interface Lost {
  /**
   * Records the end of sessions that stopped in the middle of a turn and were silent until their lease expired. While the
   * agent's process runs, the machine may only have slept.
   */
  endLost(): void
  /** The sessions whose agent process is gone. */
  deserted(): Silent[]
  /** Whether the agent process that last worked on a session is gone. */
  isLeft(name: string): boolean
  /** Records the end of such a session, unless it was heard from again. */
  endDeserted(session: Silent): void
  /** Whether a session with a known process became idle within this many milliseconds. */
  hasJustRested(ms: number): boolean
}

export function lostIn(db: Database): Lost {
  return {
    endLost: () => db.together(() => endLost(db)),
    deserted: () =>
      db
        .rows<Silent & { process: string }>(
          `select name, session, cwd, agent, ${heardAt} as at, agent_process as process from recordings r
            where ${isSilent} and ${isProven} and last_heard is not null`,
        )
        .filter(({ process }) => isGone(JSON.parse(process)))
        .map(({ process: _, ...session }) => session),
    isLeft: (name) =>
      db
        .rows<{ process: string }>(
          `select agent_process as process from recordings where name = ? and ${isProven}`,
          name,
        )
        .some(({ process }) => isGone(JSON.parse(process))),
    endDeserted: (session) =>
      db.together(() => {
        const found = db.rows(
          `select 1 from recordings r where ${isSilent} and name = ? and ${heardAt} = ?`,
          ...[session.name, session.at],
        )
        if (found.length > 0) noteEnd(db, session, 'gone', { kind: 'end', isGone: true })
      }),
    hasJustRested: (ms) =>
      db.rows(
        `select 1 from recordings where kind = 'hook' and ended = 0 and ${isProven} and last_heard > ?
          and json_extract(activity, '$.state') = 'idle' limit 1`,
        Date.now() - ms,
      ).length > 0,
  }
}

/** It is in progress, and has no notes to settle. */
const isSilent = `kind = 'hook' and ended = 0
  and not exists (select 1 from notes n where n.name = r.name and n.settled = 0 and n.due = 1)`

/** When it was last heard from. A hook notes a prompt before git looks at the tree, and reports the activity after that. */
const heardAt =
  'nullif(max(coalesce(last_heard, 0), coalesce((select max(at) from notes n where n.name = r.name), 0)), 0)'

/** A process that sent only one hook may not be the agent's. */
const isProven = 'agent_proven = 1 and agent_process is not null'

function endLost(db: Database) {
  const open = db.rows<Silent & { process: string | null }>(
    `select name, session, cwd, agent, process, at from (
        select name, session, cwd, agent, activity, case when ${isProven} then agent_process end as process, ${heardAt} as at
          from recordings r where ${isSilent}
            and (json_extract(memo, '$.draft') is not null or json_extract(memo, '$.turn') is not null
              or exists (select 1 from notes n where n.name = r.name and n.settled = 0))
      ) where at + 1000 * case when json_extract(activity, '$.state') = 'working' then ? else ? end < ?`,
    ...[leaseSeconds.working, leaseSeconds.resting, Date.now()],
  )
  const lost = open.filter(({ process }) => process === null || !isRunning(JSON.parse(process)))
  for (const session of lost) noteEnd(db, session, 'lost', { kind: 'end', failure: expired })
}

const expired = { code: 'LEASE_EXPIRED', message: 'The session sent nothing until its lease expired.' }

/** Records that the session ended when it was last heard from. */
function noteEnd(db: Database, { name, session, cwd, agent, at }: Silent, why: string, step: Step) {
  db.run(
    'insert into notes (name, at, key, due, seen) values (?, ?, ?, 1, ?) on conflict do nothing',
    ...[name, at, `${why} ${at}`, JSON.stringify({ agent, session, cwd, step })],
  )
}
