/**
 * How many backups to keep per unit of time, counted like `restic forget`: the newest backup of each of the last n
 * hours, days and so on.
 */
export interface Keep {
  unit: Unit
  count: number
}

/** Smallest first. */
const units = ['h', 'd', 'w', 'm'] as const
type Unit = (typeof units)[number]

/** Parses `24h,7d,4w`. Throws an Error that says what would be right. */
export function readKeep(text: string): Keep[] {
  const parts = text.split(',').map((part) => /^([1-9]\d{0,3})([hdwm])$/.exec(part.trim()))
  const keep = parts.flatMap((part) => (part ? [{ count: Number(part[1]), unit: part[2] as Unit }] : []))
  if (keep.length === parts.length && new Set(keep.map(({ unit }) => unit)).size === keep.length)
    return keep.sort((a, b) => units.indexOf(a.unit) - units.indexOf(b.unit))
  throw new Error(`must be counts of hours, days, weeks and months, each once, like 24h,7d,4w, not '${text}'`)
}

/**
 * Whether a backup is due: the newest one belongs to an earlier period of the smallest unit. Times are Unix
 * milliseconds.
 */
export function isDue(keep: Keep[], newest: number | undefined, now: number): boolean {
  const [smallest] = keep
  if (newest === undefined || smallest === undefined) return true
  return now > newest && periodOf(smallest.unit, newest) !== periodOf(smallest.unit, now)
}

/** How long after the beginning of a period its backup may still be missing. */
const graceMs = 30 * 60_000

/** Whether the newest backup should have been followed by another. Times are Unix milliseconds. */
export const isOverdue = (keep: Keep[], newest: number | undefined, now: number): boolean =>
  isDue(keep, newest, now - graceMs)

/** The backup times that need not be kept. The newest backup is always kept. */
export function toForget(keep: Keep[], times: number[]): number[] {
  const newestFirst = [...times].sort((a, b) => b - a)
  const kept = new Set(newestFirst.slice(0, 1))
  for (const { unit, count } of keep) {
    const periods = new Map<string, number>()
    for (const time of newestFirst) {
      const period = periodOf(unit, time)
      if (!periods.has(period)) periods.set(period, time)
    }
    for (const time of [...periods.values()].slice(0, count)) kept.add(time)
  }
  return newestFirst.filter((time) => !kept.has(time))
}

const dayMs = 86_400_000

/** Identifies the hour, day, week (from Monday) or month of a time, in UTC. */
function periodOf(unit: Unit, time: number): string {
  const text = new Date(time).toISOString()
  if (unit === 'h') return text.slice(0, 13)
  if (unit === 'd') return text.slice(0, 10)
  if (unit === 'm') return text.slice(0, 7)
  // 5 January 1970 was a Monday.
  return String(Math.floor((time / dayMs - 4) / 7))
}
