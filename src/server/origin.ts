import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { HonoRequest } from 'hono'
import { ConductError } from '../contract/error.ts'
import { cut } from '../contract/explain.ts'
import { addressOf, names } from '../contract/paths.ts'
import type { Handler } from './handlers/handler.ts'

const exposed = [
  ...['ETag', 'Link', 'Location', 'Retry-After', 'X-Request-Id', 'Idempotent-Replayed', 'Deprecation', 'Sunset'],
  ...['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset', 'Mcp-Session-Id'],
].join(', ')

/** Lets pages of these origins call what is below `basePath` from a browser (Fetch standard, CORS protocol). */
export function createCors(origins: readonly string[], basePath: string) {
  return {
    /** Adds to the headers of a response what the browser needs to show it to the page. */
    allowOrigin(request: HonoRequest, headers: Record<string, string>): void {
      if (origins.length === 0 || !request.path.startsWith(`${basePath}/`)) return
      headers.vary = headers.vary ? `${headers.vary}, Origin` : 'Origin'
      const origin = request.header('origin')
      if (origin === undefined || !origins.includes(origin)) return
      headers['access-control-allow-origin'] = origin
      headers['access-control-expose-headers'] = exposed
    },
    /** Answers browsers that ask whether a page may send a request. */
    preflights: origins.length === 0 ? [] : [preflightHandler(basePath)],
  }
}

function preflightHandler(basePath: string): Handler {
  const methods = [...new Set(names.map((name) => addressOf(name).method))].join(', ')
  return {
    label: 'preflight',
    methods: ['OPTIONS'],
    paths: [`${basePath}/*`],
    takes: (request) => request.header('access-control-request-method') !== undefined,
    async answer({ request }) {
      const fields = request.header('access-control-request-headers')
      const headers = {
        'access-control-allow-methods': methods,
        ...(fields !== undefined && { 'access-control-allow-headers': fields }),
        vary: 'Access-Control-Request-Headers',
      }
      return { status: 204, headers, body: null }
    },
  }
}

export type Hosts = ReturnType<typeof createHosts>

/**
 * Tells by which names the server is called. A page can make a name of its own resolve to this machine (DNS rebinding), and
 * then calls the server as its own origin, but under that name. An address cannot be made to lead elsewhere.
 */
export function createHosts(allowed: readonly string[]) {
  const machine = hostname().toLowerCase()
  const own = new Set(['localhost', machine, machine.split('.', 1)[0], ...allowed.map((name) => name.toLowerCase())])

  /** Whether this is an address, a name of this machine, or an allowed name. */
  const isOwn = (name: string) => isAddress(name) || name.endsWith('.localhost') || own.has(name)

  return {
    /** Whether the request names a host that cannot be somebody else's. */
    isOwn: (request: HonoRequest) => isOwn(nameOf(request)),

    /** Throws FORBIDDEN for a request under another name, if the allowed names are set. */
    require(request: HonoRequest): void {
      if (allowed.length === 0) return
      const name = nameOf(request)
      if (isOwn(name)) return
      throw new ConductError(
        'FORBIDDEN',
        `This server does not answer as '${cut(name)}': add the name to CONDUCT_ALLOWED_HOSTS, which has ${allowed.join(', ')}.`,
      )
    },
  }
}

const isAddress = (name: string) => isIP(name.replace(/^\[|\]$/g, '')) !== 0

/** The host name of a request, in lower case and without the dot at the end of a full name. */
export const nameOf = ({ url }: HonoRequest) => new URL(url).hostname.replace(/\.$/, '')
