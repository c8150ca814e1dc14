import { Hono } from 'hono'
import { cors } from 'hono/cors'
import type { Logger } from 'pino'
import { addressOf, type Name, names } from '../api/paths.ts'
import type { BackupJobOptions } from '../jobs/backup.ts'
import type { Actor } from '../ledger/actor.ts'
import type { Store } from '../store/open.ts'
import { createSender, type SenderOptions } from '../webhook/send.ts'
import { createRefusal, pathOf } from './address.ts'
import { createAuth } from './auth.ts'
import { docsDoor, openapiDoor } from './doors/docs.ts'
import type { Door } from './doors/door.ts'
import { erasingDoor } from './doors/erase.ts'
import { eventsDoor } from './doors/events.ts'
import { exportDoor } from './doors/export.ts'
import { hooksDoor } from './doors/hooks.ts'
import { mcpDoor } from './doors/mcp.ts'
import { metricsDoor } from './doors/metrics.ts'
import { noteDoor } from './doors/note.ts'
import { pageDoor } from './doors/page.ts'
import { livenessDoor, readinessDoor } from './doors/probes.ts'
import { loginDoor, logoutDoor } from './doors/session.ts'
import { webhookTestDoor } from './doors/webhook-test.ts'
import { createEndpoint } from './endpoint.ts'
import { type Bindings, createExchange } from './exchange.ts'
import { createLimiter } from './limit.ts'
import { createMetrics } from './metrics.ts'

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

/** The whole HTTP interface of a store as a function from request to response. It does not listen on a socket. */
export function createApp(options: AppOptions) {
  const app = new Hono<{ Bindings: Bindings }>({ getPath: pathOf })
  const parts = partsOf(options, (request) => app.fetch(request))
  const { basePath, corsOrigins, exchange, auth } = parts
  const doors = doorsOf(options, parts)
  const carried = doors.map(({ carries }) => carries)
  const refusal = createRefusal([...waysOf(doors), ...operationWays(basePath)], basePath)

  if (corsOrigins.length > 0) app.use(`${basePath}/*`, cors({ origin: corsOrigins, exposeHeaders }))
  for (const { label, methods, paths, takes, answer } of doors) {
    const handler = exchange(label, answer)
    app.on([...methods], [...paths], async (c, next) => (takes && !takes(c.req) ? next() : handler(c)))
  }
  for (const name of names.filter((name) => !carried.includes(name))) {
    const { method, path } = addressOf(name)
    app.on(method, basePath + path, exchange(name, createEndpoint(name, parts).answer))
  }
  const refuse = exchange('unknown', async (it) => {
    // Without a key, callers cannot probe which addresses exist.
    if (isApi(it.request.path, basePath)) await auth.callerOf(it.request, it)
    throw refusal(it)
  })
  app.notFound(refuse)
  app.onError((error, c) => exchange('unknown', () => Promise.reject(error))(c))
  return app
}

const exposeHeaders = [
  ...['ETag', 'Link', 'Location', 'Retry-After', 'X-Request-Id', 'Idempotent-Replayed'],
  ...['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'],
]

type Fetch = (request: Request) => Promise<Response> | Response
type Parts = ReturnType<typeof partsOf>

const isApi = (path: string, basePath: string) => `${path}/`.startsWith(`${basePath}/v1/`)

/** What doors and endpoints share. */
function partsOf(options: AppOptions, fetch: Fetch) {
  const { store, basePath = '/conduct', contentLimit = 1_048_576, corsOrigins = [], log, stopping } = options
  const warn = (error: unknown) => log?.warn({ err: error }, 'background work failed')
  const limiter = createLimiter(options.rateLimit ?? 6000)
  const auth = createAuth({ store, limiter, actor: options.actor, warn })
  const metrics = createMetrics()
  const isStopping = () => stopping?.aborted === true
  const exchange = createExchange({ now: () => store.now(), limiter, metrics, log, isStopping })
  return { store, basePath, contentLimit, corsOrigins, stopping, warn, auth, metrics, isStopping, exchange, fetch }
}

/** All doors, in order of precedence. */
function doorsOf({ webFolder, webhooks, backups }: AppOptions, parts: Parts): Door[] {
  const { store, basePath, isStopping, contentLimit } = parts
  return [
    eventsDoor({ ...parts, endpoint: createEndpoint('listEvents', parts) }),
    noteDoor('getCheckpoint', 'note', parts),
    noteDoor('getProof', 'proof', parts),
    loginDoor(createEndpoint('createSession', parts), basePath),
    logoutDoor(createEndpoint('deleteSession', parts), basePath),
    hooksDoor(parts),
    exportDoor(parts),
    erasingDoor('erase', createEndpoint('erase', parts), basePath, store),
    erasingDoor('forget', createEndpoint('forget', parts), basePath, store),
    webhookTestDoor(createEndpoint('testWebhook', parts), basePath, createSender(webhooks)),
    mcpDoor({ ...parts, bodyLimit: contentLimit * 2 }),
    openapiDoor(basePath),
    docsDoor(basePath),
    livenessDoor,
    readinessDoor(store, isStopping),
    metricsDoor({ ...parts, backups }),
    pageDoor(basePath, webFolder),
  ]
}

/** The addresses that only a door serves. */
const waysOf = (doors: readonly Door[]) =>
  doors
    .filter(({ takes, carries }) => !takes && !carries)
    .flatMap(({ methods, paths }) => methods.flatMap((method) => paths.map((path) => ({ method, path }))))

const operationWays = (basePath: string) =>
  names.map((name: Name) => {
    const { method, path } = addressOf(name)
    return { method, path: basePath + path }
  })
