import { Hono } from 'hono'
import { getPath } from 'hono/utils/url'
import type { Logger } from 'pino'
import type { Actor } from '../contract/actor.ts'
import { ConductError } from '../contract/error.ts'
import { cut } from '../contract/explain.ts'
import { addressOf, type Name, names } from '../contract/paths.ts'
import type { Store } from '../operations/open.ts'
import { createAuth } from './auth.ts'
import { createEndpoint } from './endpoint.ts'
import { type Bindings, createExchange, type Exchange } from './exchange.ts'
import { docsHandler, openapiHandler } from './handlers/docs.ts'
import { eventsHandler } from './handlers/events.ts'
import { exportHandler } from './handlers/export.ts'
import { type Handler, Reply } from './handlers/handler.ts'
import { hooksHandler } from './handlers/hooks.ts'
import { mcpHandler } from './handlers/mcp.ts'
import { livenessHandler, metricsHandler, readinessHandler } from './handlers/monitoring.ts'
import { contentHandler, loginHandler, logoutHandler } from './handlers/operations.ts'
import { pageHandler } from './handlers/page.ts'
import type { BackupJobOptions } from './jobs/backup.ts'
import { createLimiter } from './limit.ts'
import { createMetrics } from './metrics.ts'
import { createCors, createHosts } from './origin.ts'
import { createGuard, refusalOf } from './webhook/guard.ts'
import { createSender, type SenderOptions } from './webhook/send.ts'

export interface AppOptions {
  store: Store
  /** The path before `/v1`. */
  basePath?: string
  /** Requests per minute and key; 0 means no limit. */
  rateLimit?: number
  /** The most UTF-8 bytes of a content. A request body may be twice as long. */
  contentLimit?: number
  /** Origins whose pages may call the API from a browser. */
  corsOrigins?: string[]
  /** Names of the server besides those of its machine. If any are given, requests under other names are refused. */
  allowedHosts?: string[]
  /** How to send webhooks. */
  webhooks?: SenderOptions
  log?: Logger
  /** Where the server writes its backups, for the metrics; undefined if it makes none. */
  backups?: BackupJobOptions | undefined
  /** The folder of the built dashboard, if not the default. */
  webFolder?: string
  /** The actor of in-process calls without a key. If absent, every call needs a key. */
  actor?: Actor
  /** Aborts when the server stops. Streams then end, and responses close their connections. */
  stopping?: AbortSignal
}

/** The whole HTTP interface of a store, without a socket. */
export interface App {
  fetch(request: Request, bindings?: Bindings): Promise<Response>
  /** Responds to a request that need not be a whole Request. */
  reply(request: Request, bindings?: Bindings): Promise<Reply>
}

export function createApp(options: AppOptions): App {
  const hono = new Hono<{ Bindings: Bindings }>({ getPath: pathOf })
  const app: App = {
    async fetch(request, bindings) {
      const response = await hono.fetch(request, bindings)
      return response instanceof Reply ? response.toResponse() : response
    },
    async reply(request, bindings) {
      const response = await hono.fetch(request, bindings)
      return response instanceof Reply ? response : Reply.from(response)
    },
  }
  const parts = partsOf(options, (request) => app.fetch(request))
  const { basePath, exchange, auth, hosts } = parts
  const handlers = handlersOf(options, parts)
  const carried = handlers.map(({ carries }) => carries)
  const refusal = createRefusal([...routesOf(handlers), ...operationWays(basePath)], basePath)

  const guarded = (label: string, answer: Handler['answer']) =>
    exchange(label, async (it) => {
      hosts.require(it.request)
      return answer(it)
    })

  for (const { label, methods, paths, takes, answer, isProbe } of handlers) {
    const serve = isProbe ? exchange(label, answer) : guarded(label, answer)
    hono.on([...methods], [...paths], async (c, next) => (takes && !takes(c.req) ? next() : serve(c)))
  }
  for (const name of names.filter((name) => !carried.includes(name))) {
    const { method, path } = addressOf(name)
    hono.on(method, basePath + path, guarded(name, createEndpoint(name, parts).answer))
  }
  const refuse = guarded('unknown', async (it) => {
    // Without a key, callers cannot probe which addresses exist.
    if (isApi(it.request.path, basePath)) await auth.callerOf(it.request, it)
    throw refusal(it)
  })
  hono.notFound(refuse)
  hono.onError((error, c) => exchange('unknown', () => Promise.reject(error))(c))
  return app
}

type Fetch = (request: Request) => Promise<Response> | Response
type Parts = ReturnType<typeof partsOf>

const isApi = (path: string, basePath: string) => `${path}/`.startsWith(`${basePath}/v1/`)

/** What handlers and endpoints share. */
function partsOf(options: AppOptions, fetch: Fetch) {
  const { store, basePath = '/conduct', contentLimit = 1_048_576, corsOrigins = [], allowedHosts = [] } = options
  const { log, stopping } = options
  const warn = (error: unknown) => log?.warn({ err: error }, 'background work failed')
  const limiter = createLimiter(options.rateLimit ?? 6000)
  const auth = createAuth({ store, limiter, actor: options.actor, warn })
  const metrics = createMetrics()
  const hosts = createHosts(allowedHosts)
  const { allowOrigin, preflights } = createCors(corsOrigins, basePath)
  const guard = createGuard(options.webhooks?.allow ?? [])
  const refusal = (url: string) => refusalOf(guard, new URL(url))
  const send = createSender(options.webhooks)
  const isStopping = () => stopping?.aborted === true
  const exchange = createExchange({ now: () => store.now(), allowOrigin, limiter, metrics, log, isStopping })
  const made = { auth, hosts, preflights, metrics, isStopping, exchange }
  return { store, basePath, contentLimit, refusal, send, corsOrigins, stopping, warn, fetch, ...made }
}

/** All handlers, in order of precedence. */
function handlersOf({ webFolder, backups }: AppOptions, parts: Parts): Handler[] {
  const { store, basePath, isStopping, contentLimit } = parts
  return [
    ...parts.preflights,
    eventsHandler({ ...parts, endpoint: createEndpoint('listEvents', parts) }),
    contentHandler(createEndpoint('readContent', parts), basePath),
    loginHandler(createEndpoint('createSession', parts), basePath),
    logoutHandler(createEndpoint('deleteSession', parts), basePath),
    hooksHandler(parts),
    exportHandler(parts),
    mcpHandler({ ...parts, bodyLimit: contentLimit * 2 }),
    openapiHandler(basePath),
    docsHandler(basePath),
    livenessHandler,
    readinessHandler(store, isStopping),
    metricsHandler({ ...parts, backups }),
    pageHandler(basePath, webFolder),
  ]
}

/** The addresses that only a handler serves. */
const routesOf = (handlers: readonly Handler[]) =>
  handlers
    .filter(({ takes, carries }) => !takes && !carries)
    .flatMap(({ methods, paths }) => methods.flatMap((method) => paths.map((path) => ({ method, path }))))

const operationWays = (basePath: string) =>
  names.map((name: Name) => {
    const { method, path } = addressOf(name)
    return { method, path: basePath + path }
  })

/** Longer than any valid path. The rest is ignored. */
const longestPath = 2000

/** The path of a request, cut before it is decoded, because decoding can be slow. */
const pathOf = ({ url }: Request) => getPath({ url: url.slice(0, longestPath) } as Request)

/** A path pattern of Hono, with `:name` for one segment, and a method. */
interface Way {
  method: string
  path: string
}

/** Creates the error for unknown addresses: METHOD_NOT_ALLOWED if the path exists with other methods, else NOT_FOUND. */
function createRefusal(ways: readonly Way[], basePath: string) {
  const known = ways.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`),
  }))

  return ({ request, headers }: Exchange): ConductError => {
    const { method, path } = request
    const methods = known.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method)
    if (methods.length === 0) {
      const words = `There is nothing at ${cut(path)}; the API is described at ${basePath}/docs.`
      return new ConductError('NOT_FOUND', words)
    }
    headers.allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
    return new ConductError(
      'METHOD_NOT_ALLOWED',
      `${cut(method)} is not allowed at ${cut(path)}; allowed are ${headers.allow}.`,
    )
  }
}
