import { ConductError } from '../contract/error.ts'
import type { Event } from '../log/fields.ts'
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

/** A server sends something every 15 s. A connection that is silent for this many milliseconds is lost. */
const silentMs = 45_000

export async function* follow(
  options: ClientOptions,
  input: Record<string, unknown>,
  { signal, onRetry }: CallOptions,
): AsyncGenerator<Event, void, undefined> {
  let after = input.after
  for (let attempt = 1; ; attempt++) {
    let failure: ConductError
    try {
      for await (const message of connect(options, { ...input, ...(after !== undefined && { after }) }, signal)) {
        attempt = 0
        const event = message.data === undefined ? undefined : eventOf(message.data, options)
        // A server of an earlier version has seqs alone.
        after = event?.id ?? message.after ?? message.id ?? after
        if (event) yield event
      }
      failure = unreachable(options, 'the stream ended')
    } catch (error) {
      signal?.throwIfAborted()
      failure = error instanceof ConductError ? error : unreachable(options, error)
      if (!isPassing(failure)) throw failure
    }
    onRetry?.(failure, attempt)
    await pause(options, attempt, failure, signal)
  }
}

/** The messages of one connection, until it ends. If the server responds with an error, throws it. */
async function* connect(
  options: ClientOptions,
  input: Record<string, unknown>,
  signal?: AbortSignal,
): AsyncGenerator<Message> {
  const { url, init } = requestOf(options, 'listEvents', input)
  const silence = new AbortController()
  const end = AbortSignal.any([silence.signal, ...(signal ? [signal] : [])])
  const fetch = options.fetch ?? globalThis.fetch
  const headers = { ...init.headers, accept: 'text/event-stream' }
  const request = builtRequest(url, { ...init, headers, signal: end })
  const heard = async <T>(ms: number, waited: () => Promise<T>) => {
    const timer = setTimeout(() => silence.abort(new Error('nothing was heard')), ms)
    return waited().finally(() => clearTimeout(timer))
  }
  const response = await whileHeld(request, () => heard(options.timeout ?? silentMs, async () => fetch(request)))
  if (!response.ok || !response.body) throw failureOf(response, await bodyOf(response, options), options)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  // An in-process app ignores the signal of its request.
  const cancel = () => void reader.cancel().catch(() => {})
  end.addEventListener('abort', cancel, { once: true })
  if (end.aborted) cancel()
  const messagesIn = createMessageReader()
  try {
    for (;;) {
      const { done, value } = await heard(silentMs, () => reader.read())
      if (done) return
      yield* messagesIn(value)
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** The event of a message. Throws INTERNAL_ERROR if it is no JSON: to ask for it again would not help. */
function eventOf(data: string, { url }: ClientOptions): Event {
  try {
    return JSON.parse(data)
  } catch (cause) {
    const words = `${url} sent an event that is not JSON: is the address right, and does no proxy change responses?`
    throw new ConductError('INTERNAL_ERROR', words, { cause })
  }
}

interface Message {
  id?: string
  /** The place at which the stream begins. */
  after?: string
  data?: string
}

/** Where lines end. The CR at the end of a piece may be half of a CRLF. */
const lineEnd = /\r\n|\n|\r(?!$)/

/**
 * Reads server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream). The returned
 * function takes the next piece of a stream, and returns the messages that end in it; a comment is a message without fields.
 */
export function createMessageReader(): (piece: string) => Message[] {
  let rest = ''
  let lines: string[] = []
  return (piece) => {
    const messages: Message[] = []
    const read = (rest + piece).split(lineEnd)
    rest = read.pop() ?? ''
    for (const line of read) {
      if (line !== '') lines.push(line)
      else {
        messages.push(messageOf(lines))
        lines = []
      }
    }
    return messages
  }
}

function messageOf(lines: readonly string[]): Message {
  const fields: Record<string, string> = {}
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (name === 'data' && fields.data !== undefined) fields.data += `\n${value}`
    else if (name === 'id' || name === 'after' || name === 'data') fields[name] = value
  }
  return fields
}
