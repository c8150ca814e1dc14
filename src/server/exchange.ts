import type { Context, HonoRequest } from 'hono'
import { parse } from 'hono/utils/cookie'
import type { Logger } from 'pino'
import { ConductError } from '../contract/error.ts'
import { cut } from '../contract/explain.ts'
import { masked, type SessionSecrets } from '../contract/secret.ts'
import { failureOf } from './answer.ts'
import type { Asking } from './auth.ts'
import { Reply, type ResponseParts } from './handlers/handler.ts'
import type { Limiter } from './limit.ts'
import type { Metrics } from './metrics.ts'

/** What the socket layer knows about a request. */
export interface Bindings {
  incoming?: { socket: { remoteAddress?: string } }
}
type HonoContext = Context<{ Bindings: Bindings }>

/** One request and what is known about it so far. */
export interface Exchange extends Asking {
  request: HonoRequest
  requestId: string
  /** The peer's address; undefined for calls in process. */
  peer: string | undefined
  /** Whether this is a login. Any client error of a login counts as a failed authentication. */
  isLogin?: boolean
}

interface Parts {
  now(): string
  /** Adds the headers that let a page of another origin read the response. */
  allowOrigin(request: HonoRequest, headers: Record<string, string>): void
  limiter: Limiter
  metrics: Metrics
  log: Logger | undefined
  isStopping(): boolean
}

/** Creates handlers that respond with the result of `work` or with its error, and that count and log requests as `label`. */
export function createExchange({ now, allowOrigin, limiter, metrics, log, isStopping }: Parts) {
  async function failed(thrown: unknown, exchange: Exchange, label: string): Promise<ResponseParts> {
    const error = await counted(limiter, thrown, exchange)
    const answer = failureOf(error, exchange.requestId)
    const request = { requestId: exchange.requestId, operation: label }
    if (error instanceof ConductError && error.isPlanned)
      log?.warn({ ...request, reason: error.message }, 'request refused for now')
    else if (answer.status >= 500) log?.error({ err: error, ...request }, 'request failed')
    return answer
  }

  function ended({ request, requestId, keyId }: Exchange, operation: string, status: number, ms: number) {
    metrics.observe(operation, status, ms)
    if (!log?.isLevelEnabled('info')) return
    const path = masked(request.path)
    log.info({ requestId, operation, method: request.method, path, status, ms, keyId })
  }

  return (label: string, work: (exchange: Exchange) => Promise<ResponseParts>) => async (c: HonoContext) => {
    const begun = performance.now()
    metrics.begin()
    const exchange = exchangeOf(c, now())
    const { headers } = exchange
    const answer = await work(exchange).catch((thrown) => failed(thrown, exchange, label))
    Object.assign(headers, answer.headers)
    allowOrigin(exchange.request, headers)
    if (isStopping()) headers.connection = 'close'
    ended(exchange, label, answer.status, performance.now() - begun)
    // Hono passes on what a handler returns. Only for HEAD it takes headers and status into a Response of its own.
    return new Reply({ ...answer, headers }) as unknown as Response
  }
}

function exchangeOf(c: HonoContext, now: string): Exchange {
  const requestId = requestIdOf(c.req.header('x-request-id'))
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-request-id': requestId,
    date: dateOf(now),
  }
  return { request: c.req, requestId, peer: c.env?.incoming?.socket.remoteAddress, now, headers }
}

const toSeconds = 'YYYY-MM-DDThh:mm:ss'.length
let newest = { at: '', date: '' }

/**
 * The Date header by the clock of the ledger, from which all its times are and which need not be that of this machine.
 * Most requests come within the second of the one before.
 */
function dateOf(now: string): string {
  const at = now.slice(0, toSeconds)
  if (newest.at !== at) newest = { at, date: new Date(now).toUTCString() }
  return newest.date
}

const requestIdPattern = /^[\x21-\x7e]{1,128}$/

/** The client's request id, or a new one if that is missing, malformed or contains a secret. */
function requestIdOf(given: string | undefined): string {
  const isFine = given !== undefined && requestIdPattern.test(given) && masked(given) === given
  return isFine ? given : crypto.randomUUID()
}

/** Counts a failed authentication. Returns the error to report, which is RATE_LIMIT_EXCEEDED after too many failures. */
async function counted(limiter: Limiter, error: unknown, exchange: Exchange): Promise<unknown> {
  const { peer } = exchange
  if (peer === undefined || !(error instanceof ConductError) || !isFailedGuess(error, exchange)) return error
  return limiter.failure(peer).then(
    () => error,
    (exceeded) => exceeded,
  )
}

/** Whether the error refuses a key, a session or a login. A request without any of them guesses nothing. */
function isFailedGuess({ code, status }: ConductError, { request, isLogin }: Exchange): boolean {
  if (isLogin) return status < 500
  return code === 'UNAUTHORIZED' && (request.header('authorization') ?? sessionOf(request)) !== undefined
}

/** Browsers share cookies between ports, so the name contains the port: two servers on one host keep separate sessions. */
export const cookieName = (url: string) => `conduct_session_${new URL(url).port || 'default'}`

/**
 * The header with which the page proves to be of the origin that logged in. The cookie alone does not: browsers send it to
 * every port of the host, so whatever listens there knows it.
 */
export const tokenHeader = 'X-Session-Token'

/** The session secret in the request's cookie, which counts only with the token. */
export function cookieOf(request: HonoRequest): string | undefined {
  const cookies = request.header('cookie')
  if (cookies === undefined) return undefined
  const name = cookieName(request.url)
  return parse(cookies, name)[name]
}

/** The secrets of the caller's session; undefined unless the request has both. */
export function sessionOf(request: HonoRequest): SessionSecrets | undefined {
  const [cookie, token] = [cookieOf(request), request.header(tokenHeader)]
  return cookie === undefined || token === undefined ? undefined : { cookie, token }
}

/** Throws FORBIDDEN unless the browser states that Conduct's own page sent the request. */
export function requireSameOrigin(request: HonoRequest): void {
  const site = request.header('sec-fetch-site')
  if (site === 'same-origin') return
  throw new ConductError(
    'FORBIDDEN',
    site === undefined
      ? 'A write with a session cookie needs Sec-Fetch-Site: same-origin, which browsers send over HTTPS and to localhost: open the page there, or send a key.'
      : `Only Conduct's own page may write with a session cookie; this request came from elsewhere (Sec-Fetch-Site: ${cut(site)}).`,
  )
}
