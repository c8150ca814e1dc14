import { once } from 'node:events'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { nodeHttp } from '../../builtin.ts'
import type { Message, MessageOutcome, Send } from '../../frame/ctx.ts'
import { version } from '../../version.ts'
import { open, Refused } from './connect.ts'
import { createGuard, type Resolve, resolveByMachine } from './guard.ts'

export interface SenderOptions {
  /** Hosts, addresses and CIDR ranges that may receive webhooks although they are not public. */
  allow?: readonly string[]
  resolve?: Resolve
  /** How long a receiver may take to respond, in milliseconds. */
  timeoutMs?: number
}

/** The most bytes of a response to read before cutting the connection. */
const responseBytes = 16_384
const responseMs = 1_000

/** Returns the function that sends messages. It follows no redirects, uses no proxy and keeps no connections. */
export function createSender({ allow = [], resolve = resolveByMachine, timeoutMs = 15_000 }: SenderOptions = {}): Send {
  const guard = createGuard(allow)
  return async (message, signal) => {
    const begun = performance.now()
    const late = AbortSignal.timeout(timeoutMs)
    const ends = AbortSignal.any([late, ...(signal ? [signal] : [])])
    let outcome: Omit<MessageOutcome, 'durationMs'>
    try {
      const url = new URL(message.url)
      const socket = await open(url, guard, resolve, ends)
      outcome = await exchange(socket, url, message, ends).finally(() => socket.destroy())
    } catch (error) {
      outcome = { error: late.aborted ? `no response within ${timeoutMs / 1000} s` : wordsOf(error as Error) }
    }
    return { ...outcome, durationMs: Math.round(performance.now() - begun) }
  }
}

async function exchange(socket: Socket, url: URL, { headers, body }: Message, signal: AbortSignal) {
  const request = nodeHttp().request({
    method: 'POST',
    path: url.pathname + url.search,
    headers: {
      host: url.host,
      'user-agent': `Conduct/${version}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...headers,
    },
    createConnection: () => socket,
  })
  request.on('error', () => {})
  request.end(body)
  const [response] = (await once(request, 'response', { signal })) as [IncomingMessage]
  const outcome = outcomeOf(response)
  await drop(response)
  return outcome
}

function outcomeOf({ statusCode = 0, headers }: IncomingMessage): Omit<MessageOutcome, 'durationMs'> {
  if (statusCode >= 200 && statusCode < 300) return { statusCode }
  const retryAfter = waitOf(headers)
  return {
    statusCode,
    error:
      statusCode >= 300 && statusCode < 400
        ? `responded with ${statusCode}: redirects are not followed`
        : `responded with ${statusCode}`,
    ...(retryAfter !== undefined && { retryAfter }),
  }
}

/** The seconds that a receiver asks to wait, as a number or until a date (RFC 9110, section 10.2.3). */
function waitOf({ 'retry-after': wait = '', date = '' }: IncomingHttpHeaders): number | undefined {
  if (/^\d{1,9}$/.test(wait)) return Number(wait)
  const seconds = Math.ceil((Date.parse(wait) - (Date.parse(date) || Date.now())) / 1000)
  return seconds > 0 ? seconds : undefined
}

/** Reads a response to its end and discards it. Cuts off a long or slow one. */
async function drop(response: IncomingMessage): Promise<void> {
  let bytes = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, responseMs)
  response.on('error', () => {})
  response.on('close', resolve)
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > responseBytes) resolve()
  })
  await promise
  clearTimeout(timer)
}

const longestError = 300

/** The error in words for an admin of the webhook. */
function wordsOf(error: NodeJS.ErrnoException): string {
  if (error instanceof Refused) return error.message
  const { code = '' } = error
  // OpenSSL's own messages are for programmers.
  const known = /^(?:ERR_SSL|EPROTO)/.test(code) ? `no TLS connection: ${code}` : meanings[code]
  return (known ?? (error.message || error.code || error.name)).slice(0, longestError)
}

const meanings: Record<string, string> = {
  ENOTFOUND: 'its host name does not exist',
  EAI_AGAIN: 'its host name could not be resolved',
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'closed the connection without a response',
  EHOSTUNREACH: 'its host could not be reached',
  ENETUNREACH: 'its network could not be reached',
  ETIMEDOUT: 'did not accept the connection in time',
}
