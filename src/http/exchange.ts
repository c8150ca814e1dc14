import type { Context, HonoRequest } from 'hono'
import type { Logger } from 'pino'
import { ConductError } from '../api/error.ts'
import { masked } from '../ledger/secret.ts'
import { failureOf } from './answer.ts'
import type { Asking } from './auth.ts'
import type { Limiter } from './limit.ts'
import type { Metrics } from './metrics.ts'

/** What the socket layer tells of a request. */
export interface Bindings {
  incoming?: { socket: { remoteAddress?: string } }
}
export type Call = Context<{ Bindings: Bindings }>

/** A response before it is one; the body of a stream is still to come. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string | Uint8Array<ArrayBuffer> | ReadableStream | null
}

/** One request on its way to its answer. */
export interface Exchange extends Asking {
  request: HonoRequest
  requestId: string
  /** The address at the other end of the connection; undefined in process. */
  peer: string | undefined
  /** Whether it is a login: whatever is wrong with one is a failed authentication. */
  isLogin?: boolean
}

interface Parts {
  now(): string
  limiter: Limiter
  metrics: Metrics
  log: Logger | undefined
  isStopping(): boolean
}

/** Makes handlers: each answers a request by `work`, or by the error that it throws, and is counted and logged as `label`. */
export function createExchange({ now, limiter, metrics, log, isStopping }: Parts) {
  async function failed(thrown: unknown, exchange: Exchange, label: string): Promise<Answer> {
    const error = await counted(limiter, thrown, exchange)
    const answer = failureOf(error, exchange.requestId)
    if (answer.status >= 500)
      log?.error({ err: error, requestId: exchange.requestId, operation: label }, 'request failed')
    return answer
  }

  function ended({ request, requestId, keyId }: Exchange, operation: string, status: number, ms: number) {
    metrics.observe(operation, status, ms)
    if (!log?.isLevelEnabled('info')) return
    const path = masked(request.path)
    log.info({ requestId, operation, method: request.method, path, status, ms, keyId })
  }

  return (label: string, work: (exchange: Exchange) => Promise<Answer>) => async (c: Call) => {
    const begun = performance.now()
    const exchange = exchangeOf(c, now())
    const { headers } = exchange
    const answer = await work(exchange).catch((thrown) => failed(thrown, exchange, label))
    Object.assign(headers, answer.headers)
    if (isStopping()) headers.connection = 'close'
    ended(exchange, label, answer.status, performance.now() - begun)
    return new Response(answer.body, { status: answer.status, headers })
  }
}

function exchangeOf(c: Call, now: string): Exchange {
  const requestId = requestIdOf(c.req.header('x-request-id'))
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-request-id': requestId }
  return { request: c.req, requestId, peer: c.env?.incoming?.socket.remoteAddress, now, headers }
}

const requestIdPattern = /^[\x21-\x7e]{1,128}$/

/** The id that the client gave, unless it is malformed or has a secret in it; then a new one. */
function requestIdOf(given: string | undefined): string {
  const isFine = given !== undefined && requestIdPattern.test(given) && masked(given) === given
  return isFine ? given : crypto.randomUUID()
}

/** Counts a failed authentication. Returns the error to tell: RATE_LIMIT_EXCEEDED after too many. */
async function counted(limiter: Limiter, error: unknown, { peer, isLogin }: Exchange): Promise<unknown> {
  if (peer === undefined || !(error instanceof ConductError)) return error
  if (error.code !== 'UNAUTHORIZED' && !(isLogin && error.status < 500)) return error
  return limiter.failure(peer).then(
    () => error,
    (exceeded) => exceeded,
  )
}
