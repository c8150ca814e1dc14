import { copyFileSync, renameSync, rmSync, truncateSync } from 'node:fs'

/**
 * Moves the log of a database away from another one that has taken its place at `path`, where SQLite would copy the log
 * into it. Returns where the log is now; undefined if it was not there. `isOurs` says whether the file with that place
 * among the database, its index and its log is still the one of the open database.
 */
export function setAside(
  path: string,
  how: 'replaced' | 'overwritten',
  isOurs: (at: 1 | 2) => boolean,
): string | undefined {
  const log = `${path}-wal`
  if (isOurs(1)) rmSync(`${path}-shm`, { force: true })
  if (!isOurs(2)) return undefined
  const away = `${log}-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`
  if (how === 'replaced') {
    renameSync(log, away)
    return away
  }
  // Our connections still have both files open, and the last one to close copies the log into the database.
  copyFileSync(log, away)
  truncateSync(log, 0)
  rmSync(log)
  return away
}
