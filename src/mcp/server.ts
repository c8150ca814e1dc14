import { hash, randomUUID } from 'node:crypto'
import {
  type CallToolResult,
  CLIENT_INFO_META_KEY,
  createMcpHandler,
  McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { type CallOptions, type Client, createClient } from '../client/client.ts'
import { ConductError } from '../contract/error.ts'
import { masked } from '../contract/secret.ts'
import { version } from '../version.ts'
import { instructions } from '../words.ts'
import { type Hold, keyHold } from './hold.ts'
import { addResources, readLedger } from './read.ts'
import { near, searchLedger } from './search.ts'
import type { Tool, ToolContext } from './tool.ts'
import { finishRun, logRun, recordCheck, saveSpec, startRun } from './write.ts'

/** All tools, in the order in which clients list them. */
export const tools: readonly Tool[] = [startRun, logRun, finishRun, recordCheck, saveSpec, searchLedger, readLedger]

export interface McpOptions {
  /** The client that the tools use. It has the permissions of its key. */
  client: Client
  hold: Hold
  /** Within a session, a request id identifies one call, so a retried call takes effect once. */
  session: string | undefined
  /** The Idempotency-Key of an HTTP request, which identifies its call even under another request id. */
  requestKey?: string | undefined
  /** Removes the secrets from the input of a tool that writes. */
  mask: (input: unknown) => Promise<unknown>
  /** Receives errors that no caller gets to see. */
  warn: (error: unknown) => void
  /** Receives each call when it begins. */
  began?: (call: Promise<unknown>) => void
}

/** An MCP server with the tools and resources, for one connection or one request. */
export function createMcpServer(options: McpOptions): McpServer {
  // Tools and resources never change during a connection.
  const capabilities = { tools: { listChanged: false }, resources: { listChanged: false } }
  const server = new McpServer({ name: 'conduct', title: 'Conduct', version }, { instructions, capabilities })
  for (const tool of tools) {
    const { name, description, annotations } = tool
    server.registerTool(name, { description, annotations, ...schemasOf(tool) }, (input, ctx) => {
      const agent = clientName(ctx) ?? server.server.getClientVersion()?.name
      const { client, hold } = options
      const meta = ctx.mcpReq._meta ?? {}
      const call = { client, hold, agent, meta, once: onceIn(options, tool, input, ctx) }
      const answered = answer(options, tool, call, input)
      options.began?.(answered)
      return answered
    })
  }
  addResources(server, options.client)
  return server
}

/** The tool validates its input itself, so errors use Conduct's words. */
function schemasOf({ inputSchema, outputSchema }: Tool) {
  return { inputSchema: unchecked(inputSchema), outputSchema: unchecked(outputSchema) }
}

function unchecked(schema: Record<string, unknown>) {
  const jsonSchema = { input: () => schema, output: () => schema }
  const validate = (value: unknown) => ({ value })
  return { '~standard': { version: 1, vendor: 'conduct', validate, jsonSchema } } as const
}

async function answer(
  { warn, mask }: McpOptions,
  tool: Tool,
  call: ToolContext,
  input: unknown,
): Promise<CallToolResult> {
  try {
    const { text, data } = await tool.call(call, tool.annotations.readOnlyHint ? input : await mask(input))
    return { content: [{ type: 'text', text }], structuredContent: data }
  } catch (error) {
    if (!(error instanceof ConductError)) warn(error)
    // An error quotes the wrong value, which may be a key in the wrong place.
    return { content: [{ type: 'text', text: masked(await failureText(error, call, input)) }], isError: true }
  }
}

async function failureText(error: unknown, call: ToolContext, input: unknown): Promise<string> {
  if (!(error instanceof ConductError)) return 'Something went wrong inside Conduct. Its log has the details.'
  const { runId, retryOf } = (input ?? {}) as { runId?: unknown; retryOf?: unknown }
  const missing = runId ?? retryOf
  if (error.code !== 'NOT_FOUND' || typeof missing !== 'string') return error.message
  return `${error.message}${await near(call, missing, 'run')}`
}

/** The name that the client gives itself in a request of the 2026 protocol. */
function clientName({ mcpReq }: ServerContext): string | undefined {
  const envelope: Record<string, unknown> = mcpReq.envelope ?? {}
  const info = envelope[CLIENT_INFO_META_KEY] as { name?: unknown } | undefined
  return typeof info?.name === 'string' ? info.name : undefined
}

/** Metadata by which clients identify a call across requests: ours, and that of Claude Code. */
const callNames = ['idempotencyKey', 'claudecode/toolUseId']

/** Idempotency-Keys for the writes of one call; random if nothing identifies a retry. */
function onceIn({ session, requestKey }: McpOptions, tool: Tool, input: unknown, { mcpReq }: ServerContext) {
  const meta: Record<string, unknown> = mcpReq._meta ?? {}
  const named = callNames.map((name) => meta[name]).find((value) => typeof value === 'string') ?? requestKey
  const id = named ?? (session === undefined ? undefined : [session, mcpReq.id])
  return (step: string): CallOptions =>
    id === undefined ? {} : { idempotencyKey: hash('sha256', JSON.stringify([id, tool.name, input, step])) }
}

interface McpExchange {
  /** The URL of this server's API with its base path. It is called without a socket. */
  url: string
  fetch: (request: Request) => Promise<Response> | Response
  /** The secret of the caller's key, which gives the tools their permissions. */
  key: string
  /** The person who holds that key. */
  person: string | null
  project: string
  mask: (input: unknown) => Promise<unknown>
  warn: (error: unknown) => void
}

/** Answers one MCP request whose body is already parsed. Keeps nothing between requests. */
export async function answerMcp(request: Request, body: unknown, exchange: McpExchange): Promise<Response> {
  const { key, person, mask, warn } = exchange
  const client = createClient({ ...exchange, attempts: 1 })
  // A client of the 2025 protocol repeats the session id it was given, and uses each request id once within it.
  const session = request.headers.get('mcp-session-id') ?? undefined
  const requestKey = request.headers.get('idempotency-key') ?? undefined
  const server = () => createMcpServer({ client, hold: keyHold(client, key, person), session, requestKey, mask, warn })
  const errors: unknown[] = []
  const onerror = (error: unknown) => void errors.push(error)
  const response = await createMcpHandler(server, { maxSubscriptions: 0, onerror }).fetch(request, { parsedBody: body })
  // Others are faults of the request, which the response names.
  if (response.status >= 500) for (const error of errors) warn(error)
  if (response.ok && (body as { method?: unknown } | null)?.method === 'initialize') {
    response.headers.set('mcp-session-id', randomUUID())
  }
  return response
}
