import pg from 'pg'
import { ConductError } from '../../../api/error.ts'
import { UniqueViolation } from '../db.ts'

const sqlState = (error: unknown) => (error instanceof pg.DatabaseError ? (error.code ?? '') : '')
/** Whether the transaction was given up for the sake of others, and may be run again. */
export const isConflict = (error: unknown) => ['40001', '40P01'].includes(sqlState(error))

/** Classes and codes of postgresql.org/docs/current/errcodes-appendix.html after which the same request may succeed. */
const passing = /^(08|40001|40P01|53|55P03|57014|57P0[1-5])/
/** The driver tells of a lost connection by system errors, and by words without a code. */
const lostConnection = /connect|terminat|timeout|closed/i

/** PostgreSQL's errors in Conduct's words; others are bugs and pass unchanged. */
export function translate(error: unknown): unknown {
  const state = sqlState(error)
  if (state === '23505') return new UniqueViolation((error as Error).message)
  if (state === '53100') {
    return new ConductError('INSUFFICIENT_STORAGE', 'The disk is full: nothing of this request was written.', {
      cause: error,
    })
  }
  const lost =
    !state &&
    error instanceof Error &&
    (/^E[A-Z]+$/.test(String((error as NodeJS.ErrnoException).code)) || lostConnection.test(error.message))
  if (lost || passing.test(state)) {
    return new ConductError('UNAVAILABLE', 'The database cannot be used just now: try again.', {
      cause: error,
      retryAfter: 1,
    })
  }
  return error
}
