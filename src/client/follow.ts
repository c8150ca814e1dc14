import { ConductError } from '../api/error.ts'
import type { Event } from '../api/event.ts'
import {
  bodyOf,
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
  { signal }: CallOptions,
): AsyncGenerator<Event, void, undefined> {
  let after = input.after
  for (let attempt = 1; ; attempt++) {
    let failure: ConductError
    try {
      for await (const message of connect(options, { ...input, ...(after !== undefined && { after }) }, signal)) {
        attempt = 0
        const event = message.data === undefined ? undefined : (JSON.parse(message.data) as Event)
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
    await pause(options, attempt, failure, signal)
  }
}

interface Message {
  id?: string
  /** The place at which the stream begins. */
  after?: string
  data?: string
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
  const request = new Request(url, { ...init, headers, signal: end })
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
  let text = ''
  try {
    for (;;) {
      const { done, value } = await heard(silentMs, () => reader.read())
      if (done) return
      const messages = (text + value).split('\n\n')
      text = messages.pop() ?? ''
      yield* messages.map(messageOf)
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** The fields of a message; a comment has none. */
function messageOf(text: string): Message {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1]
  return { id: field('id'), after: field('after'), data: field('data') }
}
