import { accessSync, closeSync, constants, mkdirSync, openSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { giveToFolder, isDiskFull } from '../../system/disk.ts'
import { whenFree } from '../busy.ts'

/** How long the pragmas of a new connection wait for another process to release the file. */
const openingMs = 10_000
/** The size to which the log is truncated once it is copied into the file and nobody reads it. */
export const logBytes = 67_108_864
/** The size of the log at which a connection copies it into the file itself, if the checkpointer has not. */
const mostPages = 16_000

/**
 * The file to which symbolic links lead, which need not exist. SQLite keeps its other files beside that one, not beside
 * the link.
 */
export function followLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const target = linkTarget(path)
  return target === undefined ? path : followLinks(resolve(dirname(path), target))
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/**
 * Creates the file and its folder, accessible only to their owner. As root, gives a new ledger to the owner of the
 * folder: a server that does not run as root could not open it otherwise. Throws an Error for a folder of that name, or
 * a file that this user may not read, of which SQLite would not say what is wrong.
 */
export function createPrivately(path: string, what: 'ledger' | 'copy') {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory()) throw new Error(`${path} is a folder: name a file in it`)
  // A file that is there is not opened: closing it would release the locks of this process's other connections to it.
  if (found) return accessSync(path, constants.R_OK)
  let file: number
  try {
    file = openSync(path, 'ax', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return
  }
  try {
    if (what === 'ledger') giveToFolder(path, file)
  } finally {
    closeSync(file)
  }
}

/** Opens a connection. Throws if this SQLite, or the location of the file, cannot keep committed data safe. */
export function connect(path: string, ...pragmas: string[]): DatabaseSync {
  try {
    return connected(path, pragmas)
  } catch (error) {
    if (path === ':memory:' || !isDiskFull(error as Error, dirname(path))) throw error
    throw new Error('The disk is full, and SQLite needs space beside the file', { cause: error })
  }
}

function connected(path: string, pragmas: string[]): DatabaseSync {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: openingMs })
  const version = String(db.prepare('select sqlite_version() as version').get()?.version)
  if (!isSafeVersion(version)) {
    throw new Error(`SQLite ${version} can corrupt a database in WAL mode: start Conduct on Node.js 24.15 or newer.`)
  }
  prepareNew(db)
  const mode = whenFree(() => db.prepare('pragma journal_mode = wal').get()?.journal_mode, openingMs)
  db.exec(
    `pragma synchronous = full; pragma cache_size = -2000; pragma temp_store = memory; pragma wal_autocheckpoint = ${mostPages};
    pragma journal_size_limit = ${logBytes}`,
  )
  for (const pragma of pragmas) db.exec(pragma)
  if (path !== ':memory:' && mode !== 'wal')
    throw new Error(`SQLite cannot use a write-ahead log for ${path}: put the file on a local disk.`)
  if (db.prepare('pragma synchronous').get()?.synchronous !== 2)
    throw new Error('SQLite did not accept synchronous=FULL.')
  return db
}

/** Makes a file that has no page yet one that `Db.giveBack` can shorten. */
function prepareNew(db: DatabaseSync) {
  if (db.prepare('pragma page_count').get()?.page_count !== 0) return
  try {
    // Without waiting: if there are pages by now, another process has created the file in the same way.
    db.exec('pragma busy_timeout = 0; pragma auto_vacuum = incremental')
  } catch {
  } finally {
    db.exec(`pragma busy_timeout = ${openingMs}`)
  }
}

/** Whether this SQLite is free of the WAL-reset bug: fixed in 3.51.3, and in 3.50.7 and 3.44.6 for their branches. */
export function isSafeVersion(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (major !== 3 || minor > 51) return major >= 3
  const fixed: Record<number, number> = { 51: 3, 50: 7, 44: 6 }
  return patch >= (fixed[minor] ?? Number.POSITIVE_INFINITY)
}
