import { randomUUID } from 'node:crypto'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { createClient } from '../client/client.ts'
import { keyHold } from './hold.ts'
import { createMcpServer } from './server.ts'

export interface McpExchange {
  /** The URL of this server's API with its base path. It is called without a socket. */
  url: string
  fetch: (request: Request) => Promise<Response> | Response
  /** The secret of the caller's key, which gives the tools their permissions. */
  key: string
  project: string
  mask: (input: unknown) => Promise<unknown>
  warn: (error: unknown) => void
}

/** Answers one MCP request whose body is already parsed. Keeps nothing between requests. */
export async function answerMcp(request: Request, body: unknown, exchange: McpExchange): Promise<Response> {
  const { key, mask, warn } = exchange
  const client = createClient({ ...exchange, attempts: 1 })
  // A client of the 2025 protocol repeats the session id it was given, and uses each request id once within it.
  const session = request.headers.get('idempotency-key') ?? request.headers.get('mcp-session-id') ?? undefined
  const server = () => createMcpServer({ client, hold: keyHold(client, key), session, mask, warn })
  const response = await createMcpHandler(server, { maxSubscriptions: 0, onerror: warn }).fetch(request, {
    parsedBody: body,
  })
  if (response.ok && (body as { method?: unknown } | null)?.method === 'initialize') {
    response.headers.set('mcp-session-id', randomUUID())
  }
  return response
}
