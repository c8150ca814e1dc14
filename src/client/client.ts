import { ConductError } from '../contract/error.ts'
import { type Name, names } from '../contract/paths.ts'
import type { Event } from '../log/fields.ts'
import type { Input, Output } from '../operations/routes.ts'
import { follow } from './follow.ts'
import {
  bodyOf,
  builtRequest,
  type CallOptions,
  type ClientOptions,
  failureOf,
  isPassing,
  pause,
  requestOf,
  unreachable,
  whileHeld,
} from './request.ts'

export { ConductError } from '../contract/error.ts'
export type { Input, Output } from '../operations/routes.ts'
export type { CallOptions, ClientOptions } from './request.ts'

type Method<N extends Name> =
  Record<string, never> extends Input<N>
    ? (input?: Input<N>, options?: CallOptions) => Promise<Output<N>>
    : (input: Input<N>, options?: CallOptions) => Promise<Output<N>>

/** The operations that return pages, and the type of their items. */
type Items<N extends Name> =
  Output<N> extends { meta: { nextCursor?: string | undefined } }
    ? Extract<Output<N>[Exclude<keyof Output<N>, 'meta'>], unknown[]>[number]
    : never
type Listing = { [N in Name]: Items<N> extends never ? never : N }[Name]

export type Client = { [N in Name]: Method<N> } & {
  /** Iterates over all items of a list, fetching pages as needed. */
  all<N extends Listing>(name: N, input?: Input<N>, options?: CallOptions): AsyncGenerator<Items<N>, void, undefined>
  /**
   * Iterates over changes as they happen, starting after `after` or else now. It never ends: it reconnects and
   * continues where it stopped.
   */
  follow(
    input?: Omit<Input<'listEvents'>, 'limit' | 'order' | 'before'>,
    options?: CallOptions,
  ): AsyncGenerator<Event, void, undefined>
  /**
   * Streams the whole ledger as lines of JSON; needs an admin key of the whole server. An export without a trailer in
   * its last line is incomplete.
   */
  exportLedger(input?: { withKeys?: boolean }, options?: CallOptions): AsyncGenerator<Uint8Array, void, undefined>
}

/**
 * A typed client of the API with one function per operation. Every call throws ConductError, or the reason of its
 * signal when that aborts it. The client retries a call that got 429, 503, an incomplete response or none, with growing
 * pauses or after the server's Retry-After. A write carries an Idempotency-Key, so it takes effect once however often it
 * is retried.
 */
export function createClient(options: ClientOptions): Client {
  const call = (name: Name, input: Record<string, unknown> = {}, more: CallOptions = {}) =>
    send(options, name, input, more)

  async function* all(name: Name, input: Record<string, unknown> & { cursor?: string } = {}, more: CallOptions = {}) {
    let { cursor } = input
    do {
      const { meta, ...page } = await call(name, { ...input, ...(cursor !== undefined && { cursor }) }, more)
      yield* Object.values(page).find(Array.isArray) ?? []
      cursor = meta?.nextCursor
    } while (cursor !== undefined)
  }

  const calls = names.map((name) => [
    name,
    (input?: Record<string, unknown>, more?: CallOptions) => call(name, input, more),
  ])
  return {
    ...Object.fromEntries(calls),
    all,
    follow: (input = {}, more = {}) => follow(options, input, more),
    exportLedger: (input = {}, more = {}) => exportLedger(options, input, more),
  } as Client
}

/** The time limit of one try, in milliseconds. SQLite rewrites its whole file before the last response to an erasure. */
const timeLimitOf = (name: Name) => (name === 'erase' ? 300_000 : 30_000)

/** The body of a successful response. */
type ResponseBody = Record<string, unknown> & { meta?: { nextCursor?: string } }

async function send(
  options: ClientOptions,
  name: Name,
  input: Record<string, unknown>,
  { signal, idempotencyKey, onRetry }: CallOptions,
): Promise<ResponseBody> {
  const {
    attempts = 5,
    timeout = timeLimitOf(name),
    patience = Number.POSITIVE_INFINITY,
    fetch = globalThis.fetch,
  } = options
  const { url, init } = requestOf(options, name, input, idempotencyKey)
  for (let attempt = 1; ; attempt++) {
    let failure: ConductError
    const limits = [AbortSignal.timeout(timeout), ...(signal ? [signal] : [])]
    const request = builtRequest(url, { ...init, signal: AbortSignal.any(limits) })
    try {
      const { response, body } = await whileHeld(request, async () => {
        const response = await fetch(request)
        return { response, body: await bodyOf(response, options) }
      })
      if (response.ok && body !== undefined) return body as ResponseBody
      failure = failureOf(response, body, options)
    } catch (error) {
      signal?.throwIfAborted()
      failure = error instanceof ConductError ? error : unreachable(options, error)
    }
    if (attempt >= attempts || !isPassing(failure) || (failure.retryAfter ?? 0) > patience) throw failure
    onRetry?.(failure, attempt)
    await pause(options, attempt, failure, signal)
  }
}

/** How long a server may take to send the first line, in milliseconds. */
const answerMs = 60_000

/** The bytes of an export. Throws UNAVAILABLE if the stream breaks off; an export cannot be resumed. */
async function* exportLedger(
  options: ClientOptions,
  { withKeys = false }: { withKeys?: boolean },
  { signal }: CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const fetch = options.fetch ?? globalThis.fetch
  const headers: Record<string, string> = options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }
  const silence = new AbortController()
  const request = builtRequest(`${options.url.replace(/\/$/, '')}/v1/export${withKeys ? '?withKeys=true' : ''}`, {
    headers: { accept: 'application/x-ndjson', ...headers },
    signal: AbortSignal.any([silence.signal, ...(signal ? [signal] : [])]),
  })
  const timer = setTimeout(() => silence.abort(new Error('nothing was heard')), options.timeout ?? answerMs)
  try {
    const response = await whileHeld(request, async () => fetch(request)).finally(() => clearTimeout(timer))
    if (!response.ok || !response.body) throw failureOf(response, await bodyOf(response, options), options)
    yield* response.body
  } catch (error) {
    signal?.throwIfAborted()
    throw error instanceof TypeError || silence.signal.aborted ? unreachable(options, error) : error
  }
}
