import { ConductError } from '../../api/error.ts'
import { cut } from '../../api/explain.ts'
import { bearerOf } from '../auth.ts'

export interface McpCall {
  basePath: string
  /** The project in which the caller acts, and nowhere else. */
  project: string
  requestId: string
  /** The app itself: the tools go through the same door as everybody else. */
  fetch: (request: Request) => Promise<Response> | Response
  warn: (error: unknown) => void
}

/**
 * Refuses pages of other origins, as the protocol demands: such a page may have made its browser believe that this
 * machine is its own server. Programs send no Origin. Throws FORBIDDEN.
 */
export function requireOrigin({ headers }: Request, corsOrigins: readonly string[]): void {
  const origin = headers.get('origin')
  if (origin === null || corsOrigins.includes(origin)) return
  throw new ConductError(
    'FORBIDDEN',
    `Pages of ${cut(origin)} may not call this server: list it in CONDUCT_CORS_ORIGINS.`,
  )
}

/** Answers a POST of an MCP client that holds a key. Throws UNAUTHORIZED without one, whoever else may call in process. */
export async function mcp(request: Request, body: unknown, { basePath, requestId, fetch, ...call }: McpCall) {
  const key = bearerOf(request.headers.get('authorization') ?? '')
  if (key === undefined) throw new ConductError('UNAUTHORIZED', 'MCP needs a key: Authorization: Bearer sk_…')
  // Loaded only now: most servers are never asked.
  const { answerMcp } = await import('../../mcp/http.ts')
  const response = await answerMcp(request, body, {
    ...call,
    url: `http://localhost${basePath}`,
    key,
    fetch(inner) {
      inner.headers.set('x-request-id', requestId)
      return fetch(inner)
    },
  })
  // No answer is endless: subscriptions are not offered.
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
}
