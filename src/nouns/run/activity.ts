import type { Changes } from '../../log/event.ts'
import type { RunStatus } from './fields.ts'
import type { Activity, ActivityInput } from './work-fields.ts'

/**
 * A report with what it leaves out: an agent that still waits may no longer say for what. The wait is the same until an
 * answer makes it another state.
 */
function wholeReport<Report extends ActivityInput>(before: ActivityInput | null | undefined, report: Report): Report {
  const isSame =
    before?.state === 'waiting' && report.state === 'waiting' && (report.tool ?? before.tool) === before.tool
  if (!isSame || report.target !== undefined) return report
  const { tool, target } = before
  return { ...report, ...(tool !== undefined && { tool }), ...(target !== undefined && { target }) }
}

const isSame = (one: ActivityInput | null, other: ActivityInput): boolean =>
  one?.state === other.state && one.tool === other.tool && one.target === other.target

/**
 * The activity of a run after a report at `now`. `since` stays while state, tool and target are the same, and a wait
 * does not begin again; `turnSince` stays until the run is idle. A time after `now` comes from a clock that is ahead, and says nothing.
 */
export function activityAfter(before: Activity | null, report: ActivityInput, now: string): Activity {
  const { since, ...doing } = wholeReport(before, report)
  const same = before && isSame(before, doing) ? before : undefined
  const isLate = same?.state === 'waiting' && since !== undefined && since > same.since
  const begun = since !== undefined && since <= now && !isLate ? since : (same?.since ?? now)
  if (doing.state === 'idle') return { ...doing, since: begun }
  const turnSince = before && before.state !== 'idle' ? (before.turnSince ?? before.since) : begun
  return { ...doing, since: begun, turnSince }
}

/** Only a run in progress has an activity. */
export const activityUnder = (status: RunStatus, activity: Activity | null) =>
  status === 'in_progress' ? activity : null

/** How long a turn lasts at least whose end is an event, in seconds: somebody has gone to do something else. */
const longTurn = 120

/**
 * The event of a change of activity: a wait for a person that begins, with the tool but never what it is used on, or
 * the end of a long turn. Reporting the same wait again is no event.
 */
export function activityEvent(
  before: Activity | null,
  after: Activity | null,
): { what: 'waiting' | 'idle'; changes: Changes } | undefined {
  if (after?.state === 'waiting' && !isSame(before, after)) {
    return { what: 'waiting', changes: after.tool === undefined ? {} : { tool: [null, after.tool] } }
  }
  if (after?.state !== 'idle' || !before || before.state === 'idle') return undefined
  const turnSeconds = Math.round((Date.parse(after.since) - Date.parse(before.turnSince ?? before.since)) / 1000)
  return turnSeconds > longTurn ? { what: 'idle', changes: { turnSeconds: [null, turnSeconds] } } : undefined
}
