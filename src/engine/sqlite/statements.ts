import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Sql } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { diskFull, UniqueViolation } from '../db.ts'
import type { Faults } from './faults.ts'

const statementsKept = 200

interface Prepared {
  statement: StatementSync
  rowOf: <Row extends object>(values: unknown[]) => Row
}

/** Runs one statement. Throws UniqueViolation, UNAVAILABLE, INSUFFICIENT_STORAGE. */
export type RunStatement = <Row extends object>(statement: Sql) => Row[]

/**
 * Runs statements on one connection. Keeps prepared statements by their text, most recently used last. Tells `faults` what
 * they find, and runs none while a fault forbids it.
 */
export function statements(db: DatabaseSync, faults?: Faults): RunStatement {
  const kept = new Map<string, Prepared>()
  return <Row extends object>({ sql: text, values }: Sql) => {
    faults?.require()
    try {
      const prepared = kept.get(text) ?? prepare(db, text)
      // Until the cache is half full, nothing will be dropped, so the order does not matter.
      if (kept.size > statementsKept / 2) kept.delete(text)
      kept.set(text, prepared)
      // The first is the oldest.
      if (kept.size > statementsKept) kept.delete(kept.keys().next().value ?? '')
      const rows = prepared.statement.all(...(values as SQLInputValue[])) as unknown as unknown[][]
      return rows.map((row) => prepared.rowOf<Row>(row))
    } catch (error) {
      const translated = translate(error)
      if (translated instanceof ConductError && isDamage(error)) faults?.damaged(translated)
      if ((errcode(error) & 0xff) === resultCode.protocol) faults?.unlockable()
      throw translated
    }
  }
}

/**
 * Rows arrive as arrays and become objects here, by a function generated once per statement. For rows as wide as a run,
 * that takes two thirds of the time that node:sqlite needs for objects. The names in it come from our own SQL.
 */
function prepare(db: DatabaseSync, text: string): Prepared {
  const statement = db.prepare(text)
  statement.setReturnArrays(true)
  const fields = statement.columns().map(({ name }, index) => `${JSON.stringify(name)}: values[${index}]`)
  return { statement, rowOf: new Function('values', `return { ${fields.join(', ')} }`) as Prepared['rowOf'] }
}

const resultCode = { busy: 5, locked: 6, noMemory: 7, ioError: 10, full: 13, cannotOpen: 14, protocol: 15 } as const
const damaged: readonly number[] = [11, 26]
const unavailable: readonly number[] = [
  resultCode.busy,
  resultCode.locked,
  resultCode.noMemory,
  resultCode.ioError,
  resultCode.cannotOpen,
  resultCode.protocol,
]
const uniqueViolations: readonly number[] = [1555, 2067]

const errcode = (error: unknown) => (error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0)

/** SQLITE_CORRUPT, also of the word index, or SQLITE_NOTADB. */
const isDamage = (error: unknown) => damaged.includes(errcode(error) & 0xff)

/**
 * Turns SQLite's result codes (sqlite.org/rescode.html) into Conduct's errors. Other errors are bugs and pass
 * unchanged.
 */
export function translate(error: unknown): unknown {
  const code = errcode(error)
  if (error instanceof Error && uniqueViolations.includes(code)) return new UniqueViolation(error.message)
  if ((code & 0xff) === resultCode.full) {
    return diskFull(error)
  }
  if (isDamage(error)) {
    return new ConductError(
      'UNAVAILABLE',
      'The database file is damaged: stop the server and restore a backup of the database.',
      { cause: error },
    )
  }
  if (unavailable.includes(code & 0xff)) {
    return new ConductError('UNAVAILABLE', 'The database is not available: try again.', {
      cause: error,
      retryAfter: 1,
    })
  }
  return error
}
