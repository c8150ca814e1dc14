import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A scheduled backup. Its name contains the time at which it started (Unix milliseconds). */
interface Backup {
  path: string
  at: number
}

/** The name of a scheduled backup: `conduct-20260715T120000Z.db`. */
export const backupName = (at: number) => `conduct-${new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')}.db`

/** How far the clock may have been set back since a backup. */
const setBackMs = 3_600_000

/**
 * The scheduled backups in a folder, oldest first; empty if there is no folder. Leaves out those whose clock was
 * further ahead of `now` (Unix milliseconds): until that time, they would take the place of newer ones.
 */
export async function listBackups(folder: string, now: number): Promise<Backup[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names
    .flatMap((name) => {
      const at = timeOf(name)
      return at === undefined || at > now + setBackMs ? [] : [{ path: join(folder, name), at }]
    })
    .sort((a, b) => a.at - b.at)
}

/** Whether a file has the name of a scheduled backup. */
export const isScheduled = (name: string) => timeOf(name) !== undefined

function timeOf(name: string): number | undefined {
  const [, year, month, day, hour, minute, second] =
    /^conduct-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.db$/.exec(name) ?? []
  if (year === undefined) return undefined
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(at) ? undefined : at
}

/** The state of scheduled backups, for metrics and `conduct doctor`. */
export interface BackupState {
  count: number
  /** The newest one; undefined if there is none. */
  newest: { at: number; bytes: number } | undefined
  /** Whether the newest is older than the schedule allows. */
  isOverdue: boolean
}

/** Reads the state of the scheduled backups in a folder, of which `keep` are kept. `now` is in Unix milliseconds. */
export async function backupState(folder: string, keep: Keep[], now: number): Promise<BackupState> {
  const backups = await listBackups(folder, now)
  const last = backups.at(-1)
  return {
    count: backups.length,
    newest: last && { at: last.at, bytes: (await stat(last.path)).size },
    isOverdue: isOverdue(keep, last?.at, now),
  }
}

export const removeBackup = ({ path }: Backup) => rm(path, { force: true })

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
