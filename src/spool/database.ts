import { DatabaseSync } from 'node:sqlite'
import { whenFree } from '../ledger/busy.ts'
import { migrations } from './migrations.ts'

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

/** Opens the file and migrates it. Throws an Error if a newer program has written it. */
export function openDatabase(file: string): Database {
  const db = new DatabaseSync(file, { timeout: busyMs })
  try {
    refuseNewer(db, file)
    whenFree(() => db.exec('pragma journal_mode = wal'), busyMs)
    db.exec('pragma synchronous = full; pragma foreign_keys = on')
    const database = databaseOf(db)
    if (versionOf(db) < migrations.length) database.together(() => migrate(db, file))
    return database
  } catch (error) {
    db.close()
    throw error
  }
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

function refuseNewer(db: DatabaseSync, file: string) {
  const version = versionOf(db)
  if (version <= migrations.length) return
  throw new Error(
    `${file} was written by a newer Conduct (file version ${version}; this one supports up to ${migrations.length}): upgrade this one`,
  )
}

function migrate(db: DatabaseSync, file: string) {
  // Another process may have been faster.
  refuseNewer(db, file)
  for (const statements of migrations.slice(versionOf(db))) db.exec(statements)
  db.exec(`pragma user_version = ${migrations.length}`)
}
