import type { HonoRequest } from 'hono'
import { ConductError } from '../../contract/error.ts'
import { cut } from '../../contract/explain.ts'
import { personIn } from '../../frame/ctx.ts'
import { type Auth, bearerOf } from '../auth.ts'
import { parseBody, readBody } from '../body.ts'
import { type Hosts, nameOf } from '../origin.ts'
import type { Handler } from './handler.ts'

interface Parts {
  auth: Auth
  hosts: Hosts
  basePath: string
  /** The most bytes of a body. */
  bodyLimit: number
  corsOrigins: readonly string[]
  /** The app itself: the tools are ordinary clients of the API. */
  fetch(request: Request): Promise<Response> | Response
  warn(error: unknown): void
}

/** Serves MCP to clients with a key, even where calls in process need none. */
export function mcpHandler({ auth, hosts, basePath, bodyLimit, corsOrigins, fetch, warn }: Parts): Handler {
  const url = `http://localhost${basePath}`
  return {
    label: 'mcp',
    methods: ['POST'],
    paths: [`${basePath}/mcp`],
    async answer(exchange) {
      const { request, requestId } = exchange
      requireOrigin(request, corsOrigins, hosts)
      const key = bearerOf(request.header('authorization') ?? '')
      const { project, actor } = await auth.callerOf(request, exchange)
      if (key === undefined) throw new ConductError('UNAUTHORIZED', 'MCP needs a key: Authorization: Bearer sk_…')
      const body = parseBody(await readBody(request, bodyLimit), request.header('content-type'))
      requireSingle(body)
      // Loaded on first use, since most servers never serve MCP.
      const [{ answerMcp }, { maskDeep: mask }] = await Promise.all([
        import('../../mcp/server.ts'),
        import('../../mask/mask.ts'),
      ])
      const inner = (request: Request) => {
        request.headers.set('x-request-id', requestId)
        return fetch(request)
      }
      const asked = new Request(request.url, { method: 'POST', headers: request.header() })
      const caller = { key, person: personIn({ actor }), project: project.slug }
      const response = await answerMcp(asked, body, { url, ...caller, fetch: inner, mask, warn })
      // Responses always end, because subscriptions are disabled.
      return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
    },
  }
}

/** Throws BAD_REQUEST for a batch, which the protocol had only in 2025: its answers could be a hundred times as large. */
function requireSingle(body: unknown): void {
  if (!Array.isArray(body)) return
  throw new ConductError('BAD_REQUEST', 'Batches are not supported: send each message of MCP in a request of its own.')
}

/**
 * Throws FORBIDDEN for pages of other origins, as the protocol demands. Programs send no Origin.
 *
 * Pages of the server's own host are allowed with any scheme, since a proxy may terminate TLS, but only under a name that
 * is the server's own: a hostile page can make a name of its own resolve to this machine (DNS rebinding).
 */
function requireOrigin(request: HonoRequest, corsOrigins: readonly string[], hosts: Hosts): void {
  const origin = request.header('origin')
  if (origin === undefined || corsOrigins.includes(origin)) return
  const isHere = URL.canParse(origin) && new URL(origin).host === new URL(request.url).host
  if (isHere && hosts.isOwn(request)) return
  const remedy = isHere ? `'${cut(nameOf(request))}' to CONDUCT_ALLOWED_HOSTS` : 'the origin to CONDUCT_CORS_ORIGINS'
  throw new ConductError('FORBIDDEN', `Pages of ${cut(origin)} may not call this server: add ${remedy}.`)
}
