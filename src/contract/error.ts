/** Every error code of the API with its HTTP status. */
export const statusOf = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  CONFLICT: 409,
  LEASE_HELD: 409,
  LEASE_LOST: 409,
  LOG_FORKED: 410,
  EVENTS_DROPPED: 410,
  PRECONDITION_FAILED: 412,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  VALIDATION_ERROR: 422,
  IDEMPOTENCY_MISMATCH: 422,
  RATE_LIMIT_EXCEEDED: 429,
  INTERNAL_ERROR: 500,
  UNAVAILABLE: 503,
  INSUFFICIENT_STORAGE: 507,
} as const

export type Code = keyof typeof statusOf

/** One fault of an input: the path of the field ("git.commit") and what would be right. */
export interface Issue {
  path: string
  message: string
}

interface ErrorDetail {
  issues?: Issue[]
  requestId?: string
  /** Seconds to wait before the same request may succeed. */
  retryAfter?: number
  /** The oldest event that is there, where the log does not reach back far enough. */
  firstSeq?: number
  /** Whether the server refuses on purpose, for a while: then nothing is wrong with it. */
  isPlanned?: boolean
  cause?: unknown
}

/**
 * The only error that Conduct shows to callers. Any other error is a bug: it is logged, and reported as INTERNAL_ERROR.
 */
export class ConductError extends Error {
  override readonly name = 'ConductError'
  readonly code: Code
  readonly issues: Issue[] | undefined
  readonly requestId: string | undefined
  readonly retryAfter: number | undefined
  readonly firstSeq: number | undefined
  readonly isPlanned: boolean

  constructor(code: Code, message: string, detail: ErrorDetail = {}) {
    super(message, { cause: detail.cause })
    this.code = code
    this.issues = detail.issues
    this.requestId = detail.requestId
    this.retryAfter = detail.retryAfter
    this.firstSeq = detail.firstSeq
    this.isPlanned = detail.isPlanned ?? false
  }

  get status(): number {
    return statusOf[this.code]
  }
}

/** Whether what was asked for is not there. */
export const isMissing = (error: unknown): error is ConductError =>
  error instanceof ConductError && error.code === 'NOT_FOUND'

/** For `catch`: undefined for what is not there. Throws any other error. */
export function unlessMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error
}

/** The error that came first, where closing what `using` holds failed, too. */
export const firstOf = (error: unknown): unknown =>
  error instanceof SuppressedError ? firstOf(error.suppressed) : error

/** The VALIDATION_ERROR of a single field. */
export function invalid(path: string, message: string): ConductError {
  return new ConductError('VALIDATION_ERROR', `${path}: ${message}.`, { issues: [{ path, message }] })
}

/**
 * What the server does not know of the request: an address, or fields. If the client knows them, the server runs an older
 * Conduct. Undefined for any other error.
 */
export function unknownThere({ code, message, issues = [] }: ConductError): string | undefined {
  if (code === 'NOT_FOUND') return /^There is nothing at (\S+);/.exec(message)?.[1]
  const fields = issues.filter((issue) => issue.message.startsWith('unknown ')).map(({ path }) => path)
  return code === 'VALIDATION_ERROR' && fields.length > 0 ? fields.join(', ') : undefined
}
