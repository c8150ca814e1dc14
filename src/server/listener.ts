import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ConductError } from '../contract/error.ts'
import { cut } from '../contract/explain.ts'
import { failureOf } from './answer.ts'
import type { App } from './app.ts'
import { Reply } from './handlers/handler.ts'

interface Options {
  app: App
  /** Milliseconds after which a client that reads nothing of its response is disconnected. */
  stallMs: number
  /** Takes the error of a request that gets no response. */
  fail(error: unknown): void
}

/** How long a client may take to finish a body that nobody reads, before it is disconnected. */
const unreadMs = 500

/** Connects an app with node:http. */
export function createListener({ app, stallMs, fail }: Options): Listener {
  async function respond(incoming: IncomingMessage, outgoing: ServerResponse) {
    // HTTP/1.0 allows requests without a host.
    const url = urlOf(incoming.url ?? '', incoming.headers.host || 'localhost')
    const reply = url ? await app.reply(requestOf(incoming, url), { incoming }) : misaddressed(incoming)
    // From now on the client must read. Node.js resets this timeout after the response.
    incoming.socket.setTimeout(stallMs)
    outgoing.once('finish', () => endUnread(incoming))
    await send(reply, outgoing)
  }

  return (incoming, outgoing) => {
    respond(incoming, outgoing).catch((error) => {
      outgoing.destroy()
      fail(error)
    })
  }
}

/** A request with the parts that Hono and Conduct read. */
function requestOf(incoming: IncomingMessage, url: string): Request {
  const { method = 'GET', headers } = incoming
  const get = (name: string) => headers[name.toLowerCase()]?.toString() ?? null
  const forEach = (each: (value: string | null, name: string) => void) => {
    for (const name of Object.keys(headers)) each(get(name), name)
  }
  const body = incoming.iterator({ destroyOnReturn: false })
  return { method, url, headers: { get, forEach }, body } as unknown as Request
}

/** Gives the client a moment to finish a body that nobody reads. */
function endUnread(incoming: IncomingMessage) {
  const end = () => incoming.complete || incoming.socket.destroySoon()
  if (!incoming.complete) setTimeout(end, unreadMs).unref()
}

const hostPattern = /^[^\s/\\?#@]+$/
/**
 * What a URL resolves: it turns a backslash into a slash, and goes back a folder for dots. Proxies count folders in another
 * way, so this would lead past their rules for paths: to `/metrics` from `/conduct/x%2fy/../../metrics`.
 */
const resolvedPattern = /[\\\t]|\/(?:\.|%2e){1,2}(?:\/|$)/i

/** The normalized URL of a request target (RFC 9112, section 3.2). Undefined for a wrong one and for a wrong host. */
function urlOf(target: string, host: string): string | undefined {
  if (resolvedPattern.test(target.split(/[?#]/, 1)[0] ?? '')) return undefined
  if (!target.startsWith('/')) return withoutUser(target)
  return hostPattern.test(host) ? URL.parse(`http://${host}${target}`)?.href : undefined
}

/** A whole URL; undefined for one with a user or a password (RFC 9110, section 4.2.4). */
function withoutUser(target: string): string | undefined {
  const url = /^https?:/i.test(target) ? URL.parse(target) : null
  return url && url.username === '' && url.password === '' ? url.href : undefined
}

function misaddressed({ url = '', headers }: IncomingMessage): Reply {
  const requestId = crypto.randomUUID()
  const error = new ConductError(
    'BAD_REQUEST',
    `'${cut(url)}' at the host '${cut(headers.host ?? '')}' is not a URL: send a path like /livez, and a Host like localhost:3000.`,
  )
  const { headers: own, ...failure } = failureOf(error, requestId)
  return new Reply({ ...failure, headers: { ...own, 'content-type': 'application/json', 'x-request-id': requestId } })
}

async function send({ status, headers, body }: Reply, outgoing: ServerResponse) {
  if (body === null) {
    outgoing.writeHead(status, headers).end()
  } else if (typeof body === 'string' || body instanceof Uint8Array) {
    outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body)
  } else {
    outgoing.writeHead(status, headers).flushHeaders()
    // Without a buffer of its own, this reads only what the client takes. It ends both sides after an error, which the
    // stream itself reports, and when the client leaves. TypeScript declares this ReadableStream twice.
    await pipeline(Readable.fromWeb(body as never, { highWaterMark: 0 }), outgoing).catch(() => {})
  }
}

type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void

/**
 * Starts the requests that arrive in one tick of the event loop as a batch, so that they share one database snapshot. The
 * snapshot begins after the last of them arrived, so each request sees everything that was committed before it.
 */
export function inBatches(listen: Listener): Listener {
  let arrived: [IncomingMessage, ServerResponse][] = []

  function startBatch() {
    const batch = arrived
    arrived = []
    for (const [incoming, outgoing] of batch) listen(incoming, outgoing)
  }

  return (incoming, outgoing) => {
    if (arrived.push([incoming, outgoing]) === 1) setImmediate(startBatch)
  }
}

/** How many unanswered requests a connection may have. Browsers never pipeline; few programs do. */
const mostUnderWay = 100

/** Closes connections that send many requests without waiting, since all of their responses would stay in memory. */
export function limitPipelines(listen: Listener): Listener {
  const underWay = new WeakMap<Socket, number>()
  const count = (socket: Socket, more: 1 | -1) => {
    const now = (underWay.get(socket) ?? 0) + more
    underWay.set(socket, now)
    return now
  }

  return (incoming, outgoing) => {
    const { socket } = incoming
    if (count(socket, 1) > mostUnderWay) {
      socket.destroy()
      return
    }
    outgoing.once('close', () => count(socket, -1))
    listen(incoming, outgoing)
  }
}
