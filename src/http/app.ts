import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { getPath } from 'hono/utils/url'
import type { Logger } from 'pino'
import { ConductError } from '../api/error.ts'
import { cut } from '../api/explain.ts'
import { addressOf, type Name, names } from '../api/paths.ts'
import { type Parsed, type Route, routes } from '../api/routes.ts'
import { type Actor, permits } from '../ledger/actor.ts'
import { masked } from '../ledger/secret.ts'
import type { Ctx } from '../store/ctx.ts'
import type { Kept } from '../store/idempotency.ts'
import type { Store } from '../store/open.ts'
import { operations } from '../store/operations.ts'
import { answerOf, answerPlanOf, failureOf } from './answer.ts'
import { type Asking, createAuth } from './auth.ts'
import { parseBody, readBytes, requireJson } from './body.ts'
import { docsHeaders, docsPage } from './doors/docs.ts'
import { createEventStreams } from './doors/events.ts'
import { createHealth } from './doors/health.ts'
import { mcp, requireOrigin } from './doors/mcp.ts'
import { createMetrics } from './doors/metrics.ts'
import { createWeb } from './doors/web.ts'
import { once } from './idempotency.ts'
import { planOf, readInput } from './input.ts'
import { createLimiter } from './limit.ts'
import { readOpenapi } from './openapi.ts'
import { carrySession } from './session.ts'

export interface AppOptions {
  store: Store
  /** What stands before `/v1`. */
  basePath?: string
  /** Requests a minute and key; 0: no limit. */
  rateLimit?: number
  /** UTF-8 bytes of one content; a body may be twice that. */
  contentLimit?: number
  /** Origins of pages that may call the API from a browser. */
  corsOrigins?: string[]
  log?: Logger
  /** The folder of the built page; else the one that the build makes. */
  webFolder?: string
  /** Whoever calls without a key: for calls in process. Without it, every call needs a key. */
  actor?: Actor
  /** Aborted when the server stops: streams end, and answers close their connections. */
  stopping?: AbortSignal
}

/** What the socket layer tells of a request. */
interface Bindings {
  incoming?: { socket: { remoteAddress?: string } }
}
type Call = Context<{ Bindings: Bindings }>

/** An answer; the body of a stream is still to come. */
type Answer = Omit<Kept, 'body'> & { body: string | ReadableStream }

/** One request on its way through the loop. */
interface Exchange extends Asking {
  c: Call
  requestId: string
  /** Whether no key is needed: what is wrong with such a request is a failed authentication. */
  isKeyless?: boolean
}

/** Longer than any address that there is: what comes after is not looked at. */
const longestAddress = 2000

/** Decoding is work: an address is cut first. */
const pathOf = ({ url }: Request) => getPath({ url: url.slice(0, longestAddress) } as Request)

const noBytes = new Uint8Array()
const requestIdPattern = /^[\x21-\x7e]{1,128}$/

/** The whole HTTP interface over a store, as a function of requests: it listens nowhere. */
export function createApp(options: AppOptions) {
  const {
    store,
    basePath = '/conduct',
    rateLimit = 6000,
    contentLimit = 1_048_576,
    corsOrigins = [],
    log,
    stopping,
  } = options
  const warn = (error: unknown) => log?.warn({ err: error }, 'background work failed')
  const limiter = createLimiter(rateLimit)
  const auth = createAuth({ store, limiter, actor: options.actor, warn })
  const metrics = createMetrics()
  const isStopping = () => stopping?.aborted === true
  const health = createHealth(store, isStopping)
  const openEvents = createEventStreams(store, stopping, warn)
  const app = new Hono<{ Bindings: Bindings }>({ getPath: pathOf })

  /** Counts a failed authentication; what this gives is the error to tell. */
  async function counted(error: unknown, { c, isKeyless }: Exchange): Promise<unknown> {
    const address = c.env?.incoming?.socket.remoteAddress
    if (!address || !(error instanceof ConductError)) return error
    if (error.code !== 'UNAUTHORIZED' && !(isKeyless && error.status < 500)) return error
    return limiter.failure(address).then(
      () => error,
      (exceeded) => exceeded,
    )
  }

  /** Answers a request by `work`, or by the error that it throws; counts, logs and stamps it either way. */
  async function exchange(c: Call, label: string, work: (exchange: Exchange) => Promise<Answer>): Promise<Response> {
    const started = performance.now()
    const given = c.req.header('x-request-id')
    const requestId = given !== undefined && requestIdPattern.test(given) ? masked(given) : crypto.randomUUID()
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-request-id': requestId,
    }
    const it: Exchange = { c, now: store.now(), requestId, headers }
    let answer: Answer
    try {
      answer = await work(it)
    } catch (thrown) {
      const error = await counted(thrown, it)
      answer = failureOf(error, requestId)
      if (answer.status >= 500) log?.error({ err: error, requestId, operation: label }, 'request failed')
    }
    Object.assign(headers, answer.headers)
    if (isStopping()) headers.connection = 'close'
    const ms = performance.now() - started
    metrics.observe(label, answer.status, ms)
    if (log?.isLevelEnabled('info')) {
      const { method, path } = c.req
      log.info({ requestId, operation: label, method, path: masked(path), status: answer.status, ms, keyId: it.keyId })
    }
    return new Response(answer.body, { status: answer.status, headers })
  }

  /** The loop: everything that an operation of the table does not say for itself. */
  function handler(name: Name) {
    const route: Route = routes[name]
    const input = planOf(name)
    const plan = answerPlanOf(name)
    // Each entry of the table is typed on its own; which one this is, only the name tells.
    const operation = operations[name] as (ctx: Ctx, input: unknown) => Promise<Record<string, unknown>>
    const isGet = input.address.method === 'GET'

    return (c: Call) =>
      exchange(c, name, async (it) => {
        it.isKeyless = route.permission === 'none'
        const caller = it.isKeyless ? await auth.nobody() : await auth.callerOf(c.req, it)
        if (!permits(caller.actor.permissions, route.permission)) throw forbidden(caller.actor, route.permission)
        const bytes = isGet ? noBytes : await bodyOf(c, route.bodyLimit)
        const body = isGet ? undefined : parseBody(bytes, c.req.header('content-type'))
        const { url } = c.req
        const mark = url.indexOf('?')
        const parsed = readInput(input, {
          params: c.req.param(),
          query: mark < 0 ? '' : url.slice(mark + 1),
          header: (header) => c.req.header(header),
          body,
        })
        const ctx: Ctx = { db: store.db, now: it.now, ...caller, contentLimit }
        const work = async (ctx: Ctx) => answerOf(plan, await operation(ctx, parsed), basePath, url)
        // Not for HEAD, whose answer nobody reads to its end.
        if (route.streams && c.req.method === 'GET' && c.req.header('accept')?.includes('text/event-stream')) {
          const body = await openEvents(ctx, resumed(parsed as Parsed<'listEvents'>, c.req.header('last-event-id')))
          return { status: 200, headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }, body }
        }
        if (route.session) return carrySession(route.session, c.req, basePath, ctx, work)
        const idempotencyKey = isGet ? undefined : c.req.header('idempotency-key')
        if (idempotencyKey === undefined) return work(ctx)
        const { method, path } = c.req
        return once(ctx, { name: idempotencyKey, method, path, body: bytes, secret: route.secret }, work)
      })
  }

  function bodyOf(c: Call, limit = contentLimit * 2) {
    const type = c.req.header('content-type')
    // A wrong type is refused before its bytes are read.
    if (type !== undefined) requireJson(type)
    return readBytes(c.req.raw, limit)
  }

  if (corsOrigins.length > 0) {
    const exposeHeaders = ['ETag', 'Link', 'Location', 'Retry-After', 'X-Request-Id', 'Idempotent-Replayed']
    const rateHeaders = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset']
    app.use(`${basePath}/*`, cors({ origin: corsOrigins, exposeHeaders: [...exposeHeaders, ...rateHeaders] }))
  }
  for (const name of names) {
    const { method, path } = addressOf(name)
    app.on(method, basePath + path, handler(name))
  }
  const endpoint = { basePath, fetch: (request: Request) => app.fetch(request), warn }
  app.all(`${basePath}/mcp`, (c) =>
    exchange(c, 'mcp', async (it) => {
      requireOrigin(c.req.raw, corsOrigins)
      const { project } = await auth.callerOf(c.req, it)
      if (c.req.method !== 'POST') throw notAllowed(it, 'POST')
      const body = parseBody(await bodyOf(c), c.req.header('content-type'))
      return mcp(c.req.raw, body, { ...endpoint, project: project.slug, requestId: it.requestId })
    }),
  )
  app.all(`${basePath}/v1/*`, (c) =>
    exchange(c, 'unknown', async (it) => {
      await auth.callerOf(c.req, it)
      throw refuseAddress(it, basePath)
    }),
  )
  app.get(`${basePath}/openapi.json`, (c) => c.json(readOpenapi(basePath)))
  app.get(`${basePath}/docs`, (c) => c.html(docsPage(readOpenapi(basePath)), 200, docsHeaders))
  app.get('/livez', (c) => c.json({ status: 'ok' }))
  app.get('/readyz', (c) => health(c))
  app.get('/metrics', (c) =>
    exchange(c, 'metrics', async (it) => {
      if (!isLoopback(c.env?.incoming?.socket.remoteAddress)) {
        const { actor } = await auth.callerOf(c.req, it)
        if (actor.kind === 'key' && actor.projectId !== null)
          throw new ConductError('FORBIDDEN', 'Metrics need a key of the whole server.')
      }
      return { status: 200, headers: { 'content-type': 'text/plain; version=0.0.4' }, body: metrics.print() }
    }),
  )
  const web = createWeb(basePath, options.webFolder)
  app.get(`${basePath}/*`, async (c, next) => web(c.req) ?? next())
  app.notFound((c) => exchange(c, 'unknown', async () => Promise.reject(nothingAt(c, basePath))))
  app.onError((error, c) => exchange(c, 'unknown', () => Promise.reject(error)))
  return app
}

const isLoopback = (address: string | undefined) => address !== undefined && /^(127\.|::1$|::ffff:127\.)/.test(address)

function forbidden(actor: Actor, required: string): ConductError {
  return new ConductError(
    'FORBIDDEN',
    `This needs a key with the permission '${required}', and this one has: ${actor.permissions.join(', ')}.`,
  )
}

/** What a stream was asked for; a browser that connects again says by Last-Event-ID what it had last. */
function resumed(input: Parsed<'listEvents'>, lastEventId: string | undefined): Parsed<'listEvents'> {
  if (lastEventId === undefined) return input
  if (/^\d{1,15}$/.test(lastEventId)) return { ...input, after: Number(lastEventId) }
  throw new ConductError(
    'BAD_REQUEST',
    `The Last-Event-ID '${cut(lastEventId)}' is not the id of an event, a whole number.`,
  )
}

const nothingAt = (c: Call, basePath: string) =>
  new ConductError('NOT_FOUND', `There is nothing at ${cut(c.req.path)}; the API is described at ${basePath}/docs.`)

const addresses = names.map(addressOf).map(({ method, path }) => ({
  method: method as string,
  pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`),
}))

/** METHOD_NOT_ALLOWED, with the methods that the address has, or NOT_FOUND where it has none. */
function refuseAddress(it: Exchange, basePath: string): ConductError {
  const { c } = it
  const path = c.req.path.slice(basePath.length)
  const methods = addresses.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
  if (methods.length === 0) return nothingAt(c, basePath)
  return notAllowed(it, methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', '))
}

function notAllowed({ c, headers }: Exchange, allowed: string): ConductError {
  headers.allow = allowed
  return new ConductError(
    'METHOD_NOT_ALLOWED',
    `${cut(c.req.method)} does not go with ${cut(c.req.path)}, only ${allowed}.`,
  )
}
