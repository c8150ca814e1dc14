import {
  bodyOf,
  builtRequest,
  type CallOptions,
  type ClientOptions,
  failureOf,
  unreachable,
  whileHeld,
} from './request.ts'

/** How long a server may take to send the first line, in milliseconds. */
const answerMs = 60_000

/** The bytes of an export. Throws UNAVAILABLE if the stream breaks off; an export cannot be resumed. */
export async function* exportLedger(
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
