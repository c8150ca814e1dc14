import pg from 'pg'
import { ConductError } from '../../../api/error.ts'
import { UniqueViolation } from '../db.ts'

const sqlState = (error: unknown) => (error instanceof pg.DatabaseError ? (error.code ?? '') : '')
/**
 * Whether the transaction met another one and was given up, so that it may be run again: a deadlock, a serialization
 * failure, or a row that it refers to and that was deleted meanwhile.
 */
export const isConflict = (error: unknown) => ['40001', '40P01', '23503'].includes(sqlState(error))

const readOnly = '25006'
const silence = 'Query read timeout'

/** Whether an error, as `translate` gives it, tells of more than its own connection: no other will fare better. */
export function isStale(error: unknown): boolean {
  const cause = error instanceof ConductError ? error.cause : undefined
  return sqlState(cause) === readOnly || (cause instanceof Error && cause.message === silence)
}

const unreached = /^E(AI_AGAIN|CONNREFUSED|HOSTUNREACH|NETUNREACH|NOTFOUND|TIMEDOUT|NOENT|ACCES)$/

/**
 * Whether a server refused the way in which a connection encrypts, so that the other way may do: it spoke, and had no TLS, a
 * certificate that is not trusted, or no entry in its pg_hba.conf.
 */
export function refusesChoice(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : ''
  if (error instanceof ConductError || unreached.test(code) || /timeout/i.test(error.message)) return false
  return !(error instanceof pg.DatabaseError) || code === '28000'
}

/** Whether an error, as `translate` gives it, says that other transactions were in the way, or that it took too long. */
export const isInTheWay = (error: unknown): boolean =>
  error instanceof ConductError && (isConflict(error.cause) || ['55P03', '57014'].includes(sqlState(error.cause)))

/** Whether an error, as `translate` gives it, would come again: the database is away, full or read-only. */
export const isOutage = (error: unknown): boolean =>
  error instanceof ConductError && error.status >= 500 && error.cause instanceof Error && !isInTheWay(error)

/** Classes and codes of postgresql.org/docs/current/errcodes-appendix.html after which the same request may succeed. */
const passing = /^(08|23503|25P0[34]|40001|40P01|53|55P03|57014|57P0[1-5])/
/** The driver tells of a lost connection by system errors, and by words without a code. */
const lostConnection = /connect|terminat|timeout|closed/i

/** PostgreSQL's errors in Conduct's words; others are bugs and pass unchanged. */
export function translate(error: unknown): unknown {
  const state = sqlState(error)
  if (error instanceof Error && state === '23505') return new UniqueViolation(error.message)
  if (state === '53100') {
    return new ConductError('INSUFFICIENT_STORAGE', 'The disk is full: nothing of this request was written.', {
      cause: error,
    })
  }
  if (state === readOnly) {
    return new ConductError(
      'UNAVAILABLE',
      'The database is read-only: it takes no writes until a server that does is reached in its place.',
      { cause: error, retryAfter: 1 },
    )
  }
  const lost =
    !state &&
    error instanceof Error &&
    (('code' in error && /^E[A-Z]+$/.test(String(error.code))) || lostConnection.test(error.message))
  if (lost || passing.test(state)) {
    return new ConductError('UNAVAILABLE', 'The database cannot be used just now: try again.', {
      cause: error,
      retryAfter: 1,
    })
  }
  return error
}
