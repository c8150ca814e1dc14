import type { RunStatus } from './fields.ts'
import type { Activity, ActivityInput } from './work-fields.ts'

/**
 * A report with what it leaves out: an agent that still waits may no longer say for what. The wait is the same until an
 * answer makes it another state.
 */
export function wholeReport<Report extends ActivityInput>(
  before: ActivityInput | null | undefined,
  report: Report,
): Report {
  const isSame =
    before?.state === 'waiting' && report.state === 'waiting' && (report.tool ?? before.tool) === before.tool
  if (!isSame || report.target !== undefined) return report
  const { tool, target } = before
  return { ...report, ...(tool !== undefined && { tool }), ...(target !== undefined && { target }) }
}

/**
 * The activity of a run after a report at `now`. `since` stays while state, tool and target are the same, and a wait
 * does not begin again; `turnSince` stays until the run is idle. A time after `now` comes from a clock that is ahead, and says nothing.
 */
export function activityAfter(before: Activity | null, report: ActivityInput, now: string): Activity {
  const { since, ...doing } = wholeReport(before, report)
  const isSame = before?.state === doing.state && before.tool === doing.tool && before.target === doing.target
  const isLate = isSame && before.state === 'waiting' && since !== undefined && since > before.since
  const begun = since !== undefined && since <= now && !isLate ? since : isSame ? before.since : now
  if (doing.state === 'idle') return { ...doing, since: begun }
  const turnSince = before && before.state !== 'idle' ? (before.turnSince ?? before.since) : begun
  return { ...doing, since: begun, turnSince }
}

/** Only a run in progress has an activity. */
export const activityUnder = (status: RunStatus, activity: Activity | null) =>
  status === 'in_progress' ? activity : null
