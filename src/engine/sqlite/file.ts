import {
  accessSync,
  type BigIntStats,
  closeSync,
  copyFileSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { ConductError } from '../../contract/error.ts'

/**
 * How often to check the log thoroughly. That makes the next write slower, because the kernel must then record its
 * time.
 */
const closelyEveryMs = 1_000

interface FileGuard {
  /**
   * Throws UNAVAILABLE once a file of the database was deleted, replaced or overwritten: later commits would go where
   * nobody can find them, or damage what is there now.
   */
  check(): void
  /** To be called after the connections are closed: closing a file releases every lock that this process has on it. */
  close(): void
}

/**
 * Remembers the files of the open database at `path`, after a first `read` has created missing ones. Calls `onReplaced`
 * once the database is another one: from then on, no statement may run.
 */
export function fileGuard(path: string, read: () => void, onReplaced: (error: ConductError) => void): FileGuard {
  read()
  const log = `${path}-wal`
  const names = [path, `${path}-shm`, log]
  const opened = names.map(look)
  const index = openIndex(`${path}-shm`)
  let lookedAt = performance.now()
  let known = state()
  let replaced: ConductError | undefined
  let isClosed = false

  /** The progress of the log comes first: a checkpoint that writes to the file later also changes it later. */
  function state() {
    const progress = progressIn(index)
    return { progress, main: look(path) }
  }

  /** Whether another program has written to the file since it was last there: it has changed, but no checkpoint has run. */
  function isOverwritten(now: ReturnType<typeof state>): boolean {
    if (!now.main) return false
    const { main, progress } = known
    known = now
    if (now.main.mtimeNs === main?.mtimeNs && now.main.size === main.size) return false
    return progressIn(index).text === progress.text && !progress.isUnderWay
  }

  function areThere(): boolean {
    const isClose = performance.now() - lookedAt > closelyEveryMs
    if (isClose) lookedAt = performance.now()
    else if (!exists(log)) return false
    const now = state()
    const looked = [now.main, ...(isClose ? names.slice(1) : names.slice(1, 2)).map(look)]
    if (now.main && !isSame(now.main, opened[0])) replace('replaced')
    if (isOverwritten(now)) replace('overwritten')
    return looked.every((found, at) => isSame(found, opened[at]))
  }

  function replace(how: 'replaced' | 'overwritten'): never {
    const away = setAside(path, how, (at) => isSame(look(names[at] as string), opened[at]))
    const former = away === undefined ? '' : ` The log of the former one is now ${away}.`
    replaced = new ConductError(
      'UNAVAILABLE',
      `The database file was ${how} while the server was running, and nothing was written to the new one.${former} Restart the server.`,
    )
    onReplaced(replaced)
    throw replaced
  }

  return {
    check() {
      if (replaced) throw replaced
      if (isClosed || areThere()) return
      // Until the files are back.
      lookedAt = Number.NEGATIVE_INFINITY
      throw new ConductError(
        'UNAVAILABLE',
        'The database file was deleted or replaced while the server was running: restart the server before you write.',
      )
    },
    close() {
      if (!isClosed) closeIndex(index)
      isClosed = true
    },
  }
}

/** The indexes that this process has open, by their descriptors: how many guards use each, and which file it is. */
const indexes = new Map<number, { users: number; name: string }>()

/**
 * Opens an index once for all guards of this process. Closing it releases the locks of every connection of the process to
 * that file, so only the last guard does.
 */
function openIndex(path: string): number {
  const { dev, ino } = statSync(path, { bigint: true })
  const name = `${dev} ${ino}`
  for (const [index, known] of indexes) {
    if (known.name !== name) continue
    known.users += 1
    return index
  }
  const index = openSync(path, 'r')
  indexes.set(index, { users: 1, name })
  return index
}

function closeIndex(index: number): void {
  const known = indexes.get(index)
  if (!known || --known.users > 0) return
  indexes.delete(index)
  closeSync(index)
}

/**
 * How far the log is copied into the file, from its index (sqlite.org/walformat.html). Throws UNAVAILABLE if the disk does
 * not read it.
 */
function progressIn(index: number): { text: string; isUnderWay: boolean } {
  const bytes = Buffer.alloc(136)
  try {
    readSync(index, bytes, 0, bytes.length, 0)
  } catch (cause) {
    throw new ConductError('UNAVAILABLE', 'The database is not available: try again.', { cause, retryAfter: 1 })
  }
  const [salts, copied, attempted] = [bytes.subarray(32, 40), bytes.subarray(96, 100), bytes.subarray(128, 132)]
  return {
    text: Buffer.concat([salts, copied, attempted]).toString('hex'),
    isUnderWay: !attempted.equals(copied),
  }
}

function look(name: string): BigIntStats | undefined {
  try {
    return statSync(name, { bigint: true, throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function exists(name: string): boolean {
  try {
    accessSync(name)
    return true
  } catch {
    return false
  }
}

const isSame = (now: BigIntStats | undefined, then: BigIntStats | undefined) =>
  now !== undefined && now.ino === then?.ino && now.dev === then?.dev

/**
 * Moves the log of a database away from another one that has taken its place at `path`, where SQLite would copy the log
 * into it. Returns where the log is now; undefined if it was not there. `isOurs` says whether the file with that place
 * among the database, its index and its log is still the one of the open database.
 */
function setAside(path: string, how: 'replaced' | 'overwritten', isOurs: (at: 1 | 2) => boolean): string | undefined {
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
