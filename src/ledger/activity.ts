import type { RunStatus } from '../api/run.ts'
import type { Activity, ActivityInput } from '../api/work.ts'

/** What a run does after it was told so at the moment `now`. `since` stays while the state, tool and target are the same. */
export function activityAfter(before: Activity | null, { since, ...doing }: ActivityInput, now: string): Activity {
  const isSame = before?.state === doing.state && before.tool === doing.tool && before.target === doing.target
  return { ...doing, since: since ?? (isSame ? before.since : now) }
}

/** Only a run in progress does anything. */
export const activityUnder = (status: RunStatus, activity: Activity | null) =>
  status === 'in_progress' ? activity : null
