import type { HonoRequest } from 'hono'
import { addressOf, names } from '../contract/paths.ts'
import type { Handler } from './handlers/handler.ts'

const exposed = [
  ...['ETag', 'Link', 'Location', 'Retry-After', 'X-Request-Id', 'Idempotent-Replayed', 'Deprecation', 'Sunset'],
  ...['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'],
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
