import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isOverdue, type Keep } from '../keep.ts'

/** A scheduled backup. Its name contains the time at which it started (Unix milliseconds). */
export interface Backup {
  path: string
  at: number
}

/** The name of a scheduled backup: `conduct-20260715T120000Z.db`. */
export const backupName = (at: number) => `conduct-${new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')}.db`

/** How far the clock may have been set back since a backup. */
const setBackMs = 3_600_000

/**
 * The scheduled backups in a folder, oldest first; empty if there is no folder. Leaves out those of a clock that was
 * further ahead of `now` (Unix milliseconds): until their time has come, they would stand for newer ones.
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
