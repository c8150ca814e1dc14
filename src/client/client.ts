import { type Code, ConductError, type Issue, invalid, statusOf } from '../error.ts'
import { addressOf, headerFields, type Name, names } from '../paths.ts'
import type { Input, Output } from '../routes.ts'

export { ConductError } from '../error.ts'
export type { Input, Output } from '../routes.ts'

export interface ClientOptions {
  /** Where the server is, with its base path: `http://localhost:3000/conduct`. */
  url: string
  /** The key; a page that has a session, and a call in process, need none. */
  key?: string
  /** The project to act in, for a key of the whole server. */
  project?: string
  /** Takes the place of the global fetch: an app in process, a test. */
  fetch?: (request: Request) => Promise<Response> | Response
  /** How often a call is tried in all. */
  attempts?: number
  /** How long one try may take, in milliseconds. */
  timeout?: number
}

export interface CallOptions {
  signal?: AbortSignal
  /** Else a random one, for every write: so that a write may be tried again. */
  idempotencyKey?: string
}

type Call<N extends Name> =
  Record<string, never> extends Input<N>
    ? (input?: Input<N>, options?: CallOptions) => Promise<Output<N>>
    : (input: Input<N>, options?: CallOptions) => Promise<Output<N>>

/** The operations that answer in pages, and what is on their pages. */
type Items<N extends Name> =
  Output<N> extends { meta: { nextCursor?: string } }
    ? Extract<Output<N>[Exclude<keyof Output<N>, 'meta'>], unknown[]>[number]
    : never
type Listing = { [N in Name]: Items<N> extends never ? never : N }[Name]

export type Client = { [N in Name]: Call<N> } & {
  /** Every item of a list, page by page, as it is asked for. */
  all<N extends Listing>(name: N, input?: Input<N>, options?: CallOptions): AsyncGenerator<Items<N>, void, undefined>
}

/**
 * A typed client of the API: one function per operation. Every call throws ConductError. A call that was answered
 * 429 or 503, or not at all, is tried again with growing waits (or the server's Retry-After); a write carries an
 * Idempotency-Key, so that it happens once however often it is tried.
 */
export function createClient(options: ClientOptions): Client {
  const call = (name: Name, input: Record<string, unknown> = {}, more: CallOptions = {}) =>
    send(options, name, input, more)

  async function* all(name: Name, input: Record<string, unknown> = {}, more: CallOptions = {}) {
    let cursor = input.cursor as string | undefined
    do {
      const { meta, ...page } = await call(name, { ...input, ...(cursor !== undefined && { cursor }) }, more)
      yield* Object.values(page)[0] as unknown[]
      cursor = (meta as { nextCursor?: string }).nextCursor
    } while (cursor !== undefined)
  }

  const calls = names.map((name) => [
    name,
    (input?: Record<string, unknown>, more?: CallOptions) => call(name, input, more),
  ])
  return { ...Object.fromEntries(calls), all } as Client
}

async function send(
  options: ClientOptions,
  name: Name,
  input: Record<string, unknown>,
  { signal, idempotencyKey }: CallOptions,
) {
  const { attempts = 5, timeout = 30_000, fetch = globalThis.fetch } = options
  const request = requestOf(options, name, input, idempotencyKey)
  for (let attempt = 1; ; attempt++) {
    let failure: ConductError
    try {
      const limits = [AbortSignal.timeout(timeout), ...(signal ? [signal] : [])]
      const response = await fetch(new Request(request.url, { ...request.init, signal: AbortSignal.any(limits) }))
      const body = await response.json().catch(() => undefined)
      if (response.ok && body !== undefined) return body as Record<string, unknown>
      failure = failureOf(response, body)
    } catch (error) {
      signal?.throwIfAborted()
      failure = new ConductError('UNAVAILABLE', `No answer from ${options.url}: is the server running there?`, {
        cause: error,
      })
    }
    if (attempt >= attempts || !(failure.status === 429 || failure.status === 503)) throw failure
    await wait(
      failure.retryAfter === undefined ? 100 * 2 ** attempt * (0.5 + Math.random()) : failure.retryAfter * 1000,
      signal,
    )
  }
}

/** The request of a call, built once for all its tries. */
function requestOf(
  { url, key, project }: ClientOptions,
  name: Name,
  input: Record<string, unknown>,
  idempotencyKey?: string,
) {
  const { method, path, params } = addressOf(name)
  const rest: Record<string, unknown> = { ...input }
  const headers: Record<string, string> = {}
  if (key !== undefined) headers.authorization = `Bearer ${key}`
  if (project !== undefined) headers['x-project-id'] = project
  for (const [field, header] of Object.entries(headerFields)) {
    if (rest[field] !== undefined) headers[header] = String(rest[field])
    delete rest[field]
  }
  let address = url.replace(/\/$/, '') + path
  for (const param of params) {
    const value = rest[param]
    if (value === undefined) throw invalid(param, `is required to ${name}`)
    address = address.replace(`:${param}`, encodeURIComponent(String(value).toWellFormed()))
    delete rest[param]
  }
  if (method === 'GET') {
    const query = queryOf(rest)
    return { url: query === '' ? address : `${address}?${query}`, init: { method, headers } }
  }
  headers['idempotency-key'] = idempotencyKey ?? randomKey()
  if (method === 'DELETE') return { url: address, init: { method, headers } }
  headers['content-type'] = 'application/json'
  return { url: address, init: { method, headers, body: JSON.stringify(rest) } }
}

function queryOf(fields: Record<string, unknown>): string {
  const query = new URLSearchParams()
  for (const [field, value] of Object.entries(fields)) {
    for (const one of [value].flat()) if (one !== undefined) query.append(field, String(one))
  }
  return query.toString()
}

/** 128 random bits; `crypto.randomUUID` is missing on pages that are not served over TLS. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function failureOf(response: Response, body: unknown): ConductError {
  const told = body as { error?: string; code?: string; requestId?: string; issues?: Issue[] } | undefined
  const retryAfter = response.headers.get('retry-after')
  const detail = {
    ...(told?.issues && { issues: told.issues }),
    ...(told?.requestId !== undefined && { requestId: told.requestId }),
    ...(retryAfter !== null && { retryAfter: Number(retryAfter) }),
  }
  if (told?.code !== undefined && told.code in statusOf) {
    return new ConductError(told.code as Code, told.error ?? told.code, detail)
  }
  const code =
    response.status === 429
      ? 'RATE_LIMIT_EXCEEDED'
      : response.status >= 502 && response.status <= 504
        ? 'UNAVAILABLE'
        : 'INTERNAL_ERROR'
  return new ConductError(
    code,
    `${response.url || 'The server'} answered ${response.status}, and not as Conduct does: is the address right?`,
    detail,
  )
}

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
