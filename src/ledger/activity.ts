import type { RunStatus } from '../api/run.ts'
import type { Activity, ActivityInput } from '../api/work.ts'

/**
 * The activity of a run after a report at `now`. `since` stays while state, tool and target are the same; `turnSince`
 * stays until the run is idle. A time after `now` comes from a clock that is ahead, and says nothing.
 */
export function activityAfter(before: Activity | null, { since, ...doing }: ActivityInput, now: string): Activity {
  const isSame = before?.state === doing.state && before.tool === doing.tool && before.target === doing.target
  const begun = since !== undefined && since <= now ? since : isSame ? before.since : now
  if (doing.state === 'idle') return { ...doing, since: begun }
  const turnSince = before && before.state !== 'idle' ? (before.turnSince ?? before.since) : begun
  return { ...doing, since: begun, turnSince }
}

/** Only a run in progress has an activity. */
export const activityUnder = (status: RunStatus, activity: Activity | null) =>
  status === 'in_progress' ? activity : null
