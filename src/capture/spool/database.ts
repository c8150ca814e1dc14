import { chmodSync, closeSync, openSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { whenFree } from '../../engine/busy.ts'
import { firstVersion, fromVersion01, later, latestVersion, tables } from './tables.ts'

export type Value = string | number | null

/** A row of `T` with these fields as JSON. */
export type Stored<T, Field extends keyof T> = Omit<T, Field> & Record<Field, string>

/** The open file. Everything is on disk when a function returns. */
export interface Database {
  /** Runs a statement. Returns how many rows it changed. */
  run(text: string, ...values: Value[]): number
  /** The rows that a statement selects. The caller knows its columns. */
  rows<Row extends object>(text: string, ...values: Value[]): Row[]
  /** Does all of the work or, if it throws, none of it. */
  together<T>(work: () => T): T
  close(): void
}

/** How long to wait for another process that writes, in milliseconds. */
const busyMs = 5_000

/** Opens the file and migrates it. Throws an Error if a newer program, or one between two releases, has written it. */
export function openDatabase(file: string): Database {
  if (file !== ':memory:') makePrivate(file)
  const db = new DatabaseSync(file, { timeout: busyMs })
  try {
    requireReleased(db, file)
    // What hooks report is not masked yet: nothing of it may remain in freed pages.
    db.exec('pragma secure_delete = on')
    whenFree(() => db.exec('pragma journal_mode = wal'), busyMs)
    db.exec('pragma synchronous = full; pragma foreign_keys = on')
    const database = databaseOf(db)
    const before = versionOf(db)
    if (before < latestVersion) database.together(() => migrate(db, file))
    // Earlier versions left texts in freed pages.
    if (before > 0 && before < latestVersion) whenFree(() => db.exec('vacuum'), busyMs)
    return database
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * SQLite gives the files beside it the same mode, and says what is wrong with a file that cannot be opened. A file that is
 * there is not opened here: closing it would release the locks of this process's other connections to it.
 */
function makePrivate(file: string) {
  try {
    const found = statSync(file, { throwIfNoEntry: false })
    if (!found) closeSync(openSync(file, 'ax', 0o600))
    else if ((found.mode & 0o077) !== 0) chmodSync(file, 0o600)
  } catch {}
}

function databaseOf(db: DatabaseSync): Database {
  return {
    run: (text, ...values) => Number(db.prepare(text).run(...values).changes),
    rows: <Row extends object>(text: string, ...values: Value[]) => db.prepare(text).all(...values) as Row[],
    together(work) {
      if (db.isTransaction) return work()
      db.exec('begin immediate')
      try {
        const result = work()
        db.exec('commit')
        return result
      } catch (error) {
        if (db.isTransaction) db.exec('rollback')
        throw error
      }
    },
    close: () => db.close(),
  }
}

const versionOf = (db: DatabaseSync) => Number(db.prepare('pragma user_version').get()?.user_version)

function requireReleased(db: DatabaseSync, file: string) {
  const version = versionOf(db)
  if (version > latestVersion) {
    throw new Error(
      `${file} was written by a newer Conduct (file version ${version}; this one supports up to ${latestVersion}): upgrade this one`,
    )
  }
  if (version === 0 || version >= firstVersion) return
  throw new Error(
    `${file} has file version ${version}, which no release of Conduct wrote: run conduct sync with the Conduct that wrote it, then delete the file`,
  )
}

function migrate(db: DatabaseSync, file: string) {
  // Another process may have been faster.
  requireReleased(db, file)
  if (versionOf(db) === 0) db.exec(isOfVersion01(db) ? fromVersion01 : tables)
  for (const statements of later.slice(Math.max(versionOf(db) - firstVersion, 0))) db.exec(statements)
  db.exec(`pragma user_version = ${latestVersion}`)
}

const isOfVersion01 = (db: DatabaseSync) =>
  db.prepare("select 1 from sqlite_schema where name = 'recordings'").get() !== undefined
