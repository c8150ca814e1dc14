import pg from 'pg'
import { ConductError } from '../../contract/error.ts'
import { diskFull, UniqueViolation } from '../db.ts'

const sqlState = (error: unknown) => (error instanceof pg.DatabaseError ? (error.code ?? '') : '')
/**
 * Whether the transaction was aborted because of another one, so it can run again: a deadlock, a serialization failure,
 * or a referenced row deleted meanwhile.
 */
export const isConflict = (error: unknown) => ['40001', '40P01', '23503'].includes(sqlState(error))

const readOnly = '25006'
const silence = 'Query read timeout'

/** Whether an error from `translate` affects more than its own connection: no other connection would do better. */
export function isStale(error: unknown): boolean {
  const cause = error instanceof ConductError ? error.cause : undefined
  return sqlState(cause) === readOnly || (cause instanceof Error && cause.message === silence)
}

const unreached = /^E(AI_AGAIN|CONNREFUSED|HOSTUNREACH|NETUNREACH|NOTFOUND|TIMEDOUT|NOENT|ACCES)$/

/**
 * Whether a server refused how a connection encrypts, so the other way may work: it responded, but has no TLS, an
 * untrusted certificate, or no entry in its pg_hba.conf.
 */
export function refusesChoice(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : ''
  if (error instanceof ConductError || unreached.test(code) || /timeout/i.test(error.message)) return false
  return !(error instanceof pg.DatabaseError) || code === '28000'
}

/** Whether an error from `translate` means that other transactions were in the way, or that it took too long. */
export const isInTheWay = (error: unknown): boolean =>
  error instanceof ConductError && (isConflict(error.cause) || ['55P03', '57014'].includes(sqlState(error.cause)))

/** Whether an error from `translate` would occur again: the database is away, full or read-only. */
export const isOutage = (error: unknown): boolean =>
  error instanceof ConductError && error.status >= 500 && error.cause instanceof Error && !isInTheWay(error)

/**
 * Error classes and codes (postgresql.org/docs/current/errcodes-appendix.html) after which the same request may
 * succeed.
 */
const passing = /^(08|23503|25P0[34]|40001|40P01|53|55P03|57014|57P0[1-5])/
/** The driver reports a lost connection by system errors, and by messages without a code. */
const lostConnection = /connect|terminat|timeout|closed/i

/** Turns PostgreSQL's errors into Conduct's, which pass unchanged. Other errors are bugs and pass, too. */
export function translate(error: unknown): unknown {
  if (error instanceof ConductError) return error
  const state = sqlState(error)
  if (error instanceof Error && state === '23505') return new UniqueViolation(error.message)
  if (state === '53100') {
    return diskFull(error)
  }
  if (state === readOnly) {
    return new ConductError(
      'UNAVAILABLE',
      'The database is read-only. Writes fail until the server reaches a database that accepts them.',
      { cause: error, retryAfter: 1 },
    )
  }
  const lost =
    !state &&
    error instanceof Error &&
    (('code' in error && /^E[A-Z]+$/.test(String(error.code))) || lostConnection.test(error.message))
  if (lost || passing.test(state)) {
    return new ConductError('UNAVAILABLE', 'The database is not available: try again.', {
      cause: error,
      retryAfter: 1,
    })
  }
  return error
}
