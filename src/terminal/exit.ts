import { type Code, ConductError } from '../contract/error.ts'

/** The exit codes of every command. */
export const exitCodes = {
  ok: [0, 'success'],
  failed: [1, 'failure; the message says why'],
  usage: [2, 'a wrong command, flag, value or file'],
  denied: [3, 'the key is missing or revoked, or lacks the permission'],
  missing: [4, 'what you asked for does not exist'],
  conflict: [5, 'a conflict: the id is taken, or somebody else changed or leased the resource'],
  limited: [6, 'too many requests'],
  unreachable: [7, 'the server, the network or the database cannot be reached'],
} as const

type Exit = keyof typeof exitCodes

const exitOf: Partial<Record<Code, Exit>> = {
  BAD_REQUEST: 'usage',
  UNAUTHORIZED: 'denied',
  FORBIDDEN: 'denied',
  NOT_FOUND: 'missing',
  CONFLICT: 'conflict',
  LEASE_HELD: 'conflict',
  LEASE_LOST: 'conflict',
  LOG_FORKED: 'conflict',
  EVENTS_DROPPED: 'conflict',
  PRECONDITION_FAILED: 'conflict',
  VALIDATION_ERROR: 'usage',
  IDEMPOTENCY_MISMATCH: 'usage',
  RATE_LIMIT_EXCEEDED: 'limited',
  UNAVAILABLE: 'unreachable',
}

/** A mistake of the caller, with a message for them. */
export class UsageError extends Error {}

/** A place other than the ledger does not respond, or not with what it should. The message names it. */
export class UnreachableError extends Error {}

/** A wrong variable of the environment, or a wrong file of settings. */
export class SettingError extends UsageError {}

/** The exit code of a command that failed with this error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage[0]
  if (error instanceof UnreachableError) return exitCodes.unreachable[0]
  return exitCodes[(error instanceof ConductError && exitOf[error.code]) || 'failed'][0]
}
