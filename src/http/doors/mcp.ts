import type { HonoRequest } from 'hono'
import { ConductError } from '../../api/error.ts'
import { cut } from '../../api/explain.ts'
import { type Auth, bearerOf } from '../auth.ts'
import { parseBody, readBody } from '../body.ts'
import type { Door } from './door.ts'

interface Parts {
  auth: Auth
  basePath: string
  /** UTF-8 bytes of a body. */
  bodyLimit: number
  corsOrigins: readonly string[]
  /** The app itself: the tools go through the same door as everybody else. */
  fetch(request: Request): Promise<Response> | Response
  warn(error: unknown): void
}

/** Serves MCP to clients that hold a key, whoever else may call in process without one. */
export function mcpDoor({ auth, basePath, bodyLimit, corsOrigins, fetch, warn }: Parts): Door {
  const url = `http://localhost${basePath}`
  return {
    label: 'mcp',
    methods: ['POST'],
    paths: [`${basePath}/mcp`],
    async answer(exchange) {
      const { request, requestId } = exchange
      requireOrigin(request, corsOrigins)
      const key = bearerOf(request.header('authorization') ?? '')
      const { project } = await auth.callerOf(request, exchange)
      if (key === undefined) throw new ConductError('UNAUTHORIZED', 'MCP needs a key: Authorization: Bearer sk_…')
      const body = parseBody(await readBody(request, bodyLimit), request.header('content-type'))
      // Loaded only now: most servers are never asked.
      const { answerMcp } = await import('../../mcp/http.ts')
      const inner = (request: Request) => {
        request.headers.set('x-request-id', requestId)
        return fetch(request)
      }
      const response = await answerMcp(request.raw, body, { url, key, project: project.slug, fetch: inner, warn })
      // No answer is endless: subscriptions are not offered.
      return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
    },
  }
}

/**
 * Refuses pages of other origins, as the protocol demands. Programs send no Origin. Throws FORBIDDEN.
 *
 * A page of the server's own host is let through, by whatever scheme: behind a proxy that ends TLS only the host is known.
 * That host may be a name by which a hostile page makes its browser reach this machine (DNS rebinding); such a page gets
 * no further than 401, since only a bearer key opens this door, which no browser adds by itself, and never a cookie.
 */
function requireOrigin(request: HonoRequest, corsOrigins: readonly string[]): void {
  const origin = request.header('origin')
  if (origin === undefined || corsOrigins.includes(origin)) return
  if (URL.canParse(origin) && new URL(origin).host === new URL(request.url).host) return
  throw new ConductError(
    'FORBIDDEN',
    `Pages of ${cut(origin)} may not call this server: list it in CONDUCT_CORS_ORIGINS.`,
  )
}
