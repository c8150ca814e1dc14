import { type Code, ConductError, type Issue, invalid, statusOf } from '../contract/error.ts'
import { addressOf, headerFields, type Name } from '../contract/paths.ts'

export interface ClientOptions {
  /** The URL of the server with its base path: `http://localhost:3000/conduct`. */
  url: string
  /** The key. A page with a session and in-process calls need none. */
  key?: string | undefined
  /** The project to act in, for a key of the whole server. */
  project?: string | undefined
  /** Replaces the global fetch, for in-process apps and tests. */
  fetch?: ((request: Request) => Promise<Response> | Response) | undefined
  /** The most tries of a call. */
  attempts?: number | undefined
  /** The time limit of one try, in milliseconds; by default, five minutes for an erasure, and 30 seconds for others. */
  timeout?: number | undefined
  /** Do not retry if the server asks for a longer pause than this many seconds. */
  patience?: number | undefined
  /** The longest pause between two tries unless the server asks for a longer one, in milliseconds. */
  longestPause?: number | undefined
}

export interface CallOptions {
  signal?: AbortSignal | undefined
  /**
   * Random by default for every write, so that it can be retried; an append at an offset, a turn with its number
   * and its diffs need none.
   */
  idempotencyKey?: string | undefined
  /**
   * Receives each failure after which the client tries again, and the number of tries in a row that failed: 0 if the
   * stream of `follow` ended after it had begun.
   */
  onRetry?: ((failure: ConductError, failed: number) => void) | undefined
}

/** The request of a call, built once for all tries. */
export function requestOf(
  { url, key, project }: ClientOptions,
  name: Name,
  input: Record<string, unknown>,
  idempotencyKey?: string,
) {
  const { method, path, params } = addressOf(name)
  const rest: Record<string, unknown> = { ...input }
  const headers: Record<string, string> = { accept: 'application/json' }
  if (key !== undefined) headers.authorization = `Bearer ${key}`
  if (project !== undefined) headers['x-project-id'] = project
  for (const [field, header] of Object.entries(headerFields)) {
    if (rest[field] !== undefined) headers[header] = String(rest[field])
    delete rest[field]
  }
  let address = url.replace(/\/$/, '') + path
  for (const param of params) {
    const value = rest[param]
    if (value === undefined || value === null) throw invalid(param, `is required to ${name}`)
    // URLs drop such segments, even when escaped: `/runs/../features/1` is another address.
    if (/^\.{0,2}$/.test(String(value))) throw invalid(param, `must be an id, not '${value}'`)
    address = address.replace(`:${param}`, encodeURIComponent(String(value).toWellFormed()))
    delete rest[param]
  }
  if (method === 'GET') {
    const query = queryOf(rest)
    return { url: query === '' ? address : `${address}?${query}`, init: { method, headers } }
  }
  // An append at an offset, a turn with its number and its diffs take effect once anyway, so the server need not store
  // the response.
  const isOnce =
    (name === 'appendToRun' && rest.offset !== undefined) ||
    (name === 'appendTurn' && rest.n !== undefined) ||
    name === 'addDiffs'
  if (idempotencyKey !== undefined || !isOnce) headers['idempotency-key'] = idempotencyKey ?? randomKey()
  const hasBody = method === 'PATCH' || Object.values(rest).some((value) => value !== undefined)
  if (!hasBody) return { url: address, init: { method, headers } }
  headers['content-type'] = 'application/json'
  return { url: address, init: { method, headers, body: JSON.stringify(rest) } }
}

/** A request with these parts. Throws BAD_REQUEST if the caller's options cannot be sent; the message quotes no key. */
export function builtRequest(url: string, init: RequestInit): Request {
  try {
    return new Request(url, init)
  } catch (cause) {
    const words = 'url must be an absolute URL, and key, project and idempotencyKey must be values of a header'
    throw new ConductError('BAD_REQUEST', `The request cannot be sent: ${words}.`, { cause })
  }
}

/** Requests in progress. Without a reference, a request is garbage-collected and its signal no longer aborts it. */
const underway = new Set<Request>()

/** Waits for `work` and keeps the request referenced until then. */
export async function whileHeld<T>(request: Request, work: () => Promise<T>): Promise<T> {
  underway.add(request)
  try {
    return await work()
  } finally {
    underway.delete(request)
  }
}

function queryOf(fields: Record<string, unknown>): string {
  const query = new URLSearchParams()
  for (const [field, value] of Object.entries(fields)) {
    for (const one of [value].flat()) if (one !== undefined) query.append(field, String(one))
  }
  return query.toString()
}

/** 128 random bits. `crypto.randomUUID` does not exist on pages without TLS. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * The JSON of a response; undefined if it has none. Throws UNAVAILABLE if the response is incomplete: as with no
 * response, the outcome is unknown.
 */
export async function bodyOf(response: Response, { url }: ClientOptions): Promise<unknown> {
  try {
    return await response.json()
  } catch (cause) {
    const isCut = !(cause instanceof SyntaxError) || /\bjson\b/.test(response.headers.get('content-type') ?? '')
    if (!isCut) return undefined
    throw new ConductError('UNAVAILABLE', `The response of ${url} ended early.`, { cause })
  }
}

export function failureOf(response: Response, body: unknown, { url }: ClientOptions): ConductError {
  const problem = body as
    | { error?: string; code?: string; requestId?: string; issues?: Issue[]; firstSeq?: number }
    | undefined
  const retryAfter = secondsOf(response.headers.get('retry-after'))
  const detail = {
    ...(problem?.issues && { issues: problem.issues }),
    ...(problem?.requestId !== undefined && { requestId: problem.requestId }),
    ...(problem?.firstSeq !== undefined && { firstSeq: problem.firstSeq }),
    ...(retryAfter !== undefined && { retryAfter }),
  }
  if (problem?.code !== undefined && problem.code in statusOf) {
    return new ConductError(problem.code as Code, problem.error ?? problem.code, detail)
  }
  const { status } = response
  const proxy = proxyErrors[status]
  if (proxy)
    return new ConductError(proxy.code, `A proxy in front of ${url} ${proxy.says} (${status})${proxy.advice}`, detail)
  const code = status === 429 ? 'RATE_LIMIT_EXCEEDED' : 'INTERNAL_ERROR'
  const where = response.url || 'The server'
  return new ConductError(
    code,
    `${where} returned ${status}, but not like a Conduct server: is the address right?`,
    detail,
  )
}

/** The seconds of a Retry-After, which may also be a date (RFC 9110 §10.2.3); undefined if it is neither, or in the past. */
function secondsOf(wait: string | null): number | undefined {
  if (wait === null) return undefined
  if (/^\d+$/.test(wait)) return Number(wait)
  const seconds = Math.ceil((Date.parse(wait) - Date.now()) / 1000)
  return seconds > 0 ? seconds : undefined
}

const noServer = {
  code: 'UNAVAILABLE',
  says: 'cannot reach the server behind it',
  advice: ': is it running there?',
} as const

/** What to report for a status that does not come from Conduct. */
const proxyErrors: Record<number, { code: Code; says: string; advice: string }> = {
  413: {
    code: 'PAYLOAD_TOO_LARGE',
    says: 'rejects requests of this size',
    advice: ': raise its limit (client_max_body_size in nginx).',
  },
  502: noServer,
  503: noServer,
  504: { code: 'UNAVAILABLE', says: 'waited too long for the server behind it', advice: '.' },
}

/** Whether the same call may succeed later. */
export const isPassing = ({ status, cause }: ConductError) => status === 429 || (status === 503 && !tlsFault(cause))

export function unreachable({ url }: ClientOptions, cause: unknown): ConductError {
  const fault = tlsFault(cause)
  const words = fault
    ? `No secure connection to ${url}: ${fault}`
    : `No response from ${url}: is the server running there?`
  return new ConductError('UNAVAILABLE', words, { cause })
}

/** The TLS error, by the codes of OpenSSL and Node.js; undefined for other errors. */
export function tlsFault(error: unknown): string | undefined {
  const { code, message } = ((error as Error | undefined)?.cause ?? {}) as { code?: unknown; message?: string }
  if (typeof code !== 'string') return undefined
  if (/CERT|SIGNATURE|^CRL_|HOSTNAME_MISMATCH|^INVALID_CA$|^ERR_TLS_CERT/.test(code)) {
    return `${message}. Is it the right server? To trust a certificate of your own authority, set NODE_EXTRA_CA_CERTS=FILE.`
  }
  // OpenSSL's own messages are for programmers.
  return /^(?:ERR_SSL|ERR_TLS|EPROTO)/.test(code) ? `${code}. Does the server speak TLS there?` : undefined
}

/**
 * Waits before the next try: as long as the server asks, else longer each time, up to half a minute or the given limit.
 */
export function pause(
  { longestPause = 30_000 }: ClientOptions,
  attempt: number,
  { retryAfter }: ConductError,
  signal?: AbortSignal,
): Promise<void> {
  const growing = Math.min(100 * 2 ** attempt, longestPause) * (0.5 + Math.random())
  return wait(retryAfter === undefined ? growing : Math.min(retryAfter * 1000, longestTimer), signal)
}

/** A timer for longer than this fires at once. */
const longestTimer = 2 ** 31 - 1

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
  })
}
