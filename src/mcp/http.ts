import { randomUUID } from 'node:crypto'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { createClient } from '../client/client.ts'
import { keyHold } from './hold.ts'
import { createMcpServer } from './server.ts'

export interface McpExchange {
  /** The API of this server, with its base path, and how to reach it without a socket. */
  url: string
  fetch: (request: Request) => Promise<Response> | Response
  /** The secret of the caller's key: the tools do what it may. */
  key: string
  project: string
  warn: (error: unknown) => void
}

/** Answers one MCP request, whose body was read already, for any client: nothing is kept between requests. */
export async function answerMcp(request: Request, body: unknown, exchange: McpExchange): Promise<Response> {
  const { key, warn } = exchange
  const client = createClient({ ...exchange, attempts: 1 })
  // A client of the 2025 protocol repeats the session that it was given; within it a request id is used once.
  const session = request.headers.get('idempotency-key') ?? request.headers.get('mcp-session-id') ?? undefined
  const server = () => createMcpServer({ client, hold: keyHold(client, key), session, warn })
  const response = await createMcpHandler(server, { maxSubscriptions: 0, onerror: warn }).fetch(request, {
    parsedBody: body,
  })
  if (response.ok && (body as { method?: unknown } | null)?.method === 'initialize') {
    response.headers.set('mcp-session-id', randomUUID())
  }
  return response
}
