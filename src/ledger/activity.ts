import type { RunStatus } from '../api/run.ts'
import type { Activity, ActivityInput } from '../api/work.ts'

/**
 * What a run does after it was told so at the moment `now`. `since` stays while the state, tool and target are the same;
 * `turnSince` stays until the run is idle.
 */
export function activityAfter(before: Activity | null, { since, ...doing }: ActivityInput, now: string): Activity {
  const isSame = before?.state === doing.state && before.tool === doing.tool && before.target === doing.target
  const begun = since ?? (isSame ? before.since : now)
  if (doing.state === 'idle') return { ...doing, since: begun }
  const turnSince = before && before.state !== 'idle' ? (before.turnSince ?? before.since) : begun
  return { ...doing, since: begun, turnSince }
}

/** Only a run in progress does anything. */
export const activityUnder = (status: RunStatus, activity: Activity | null) =>
  status === 'in_progress' ? activity : null
