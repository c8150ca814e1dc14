import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { main } from '../support/program.ts'

/** The revisions of the protocol that clients use. */
export const revisions = ['2025-11-25', '2026-07-28'] as const
type Revision = (typeof revisions)[number]

/** The result of a tool call. */
interface Told {
  text: string
  data: Record<string, unknown>
  isError: boolean
}

export interface Agent {
  client: Client
  call(tool: string, input?: Record<string, unknown>, meta?: Record<string, unknown>): Promise<Told>
  /** Returns the error message of a call that must fail. */
  refused(tool: string, input?: Record<string, unknown>): Promise<string>
}

/** Connects an MCP client of that revision, and closes it when the test ends. */
async function agentOver(t: TestContext, transport: Transport, revision: Revision): Promise<Agent> {
  const mode = revision === '2025-11-25' ? 'legacy' : ({ pin: revision } as const)
  const client = new Client({ name: 'test-agent', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(transport)
  t.after(() => client.close())
  assert.equal(client.getNegotiatedProtocolVersion(), revision)

  async function call(name: string, input: Record<string, unknown> = {}, meta?: Record<string, unknown>) {
    const result = await client.callTool({ name, arguments: input, ...(meta && { _meta: meta }) })
    const [part] = result.content
    assert.ok(part?.type === 'text')
    return {
      text: part.text,
      data: (result.structuredContent ?? {}) as Record<string, unknown>,
      isError: result.isError === true,
    }
  }

  return {
    client,
    async call(name, input, meta) {
      const told = await call(name, input, meta)
      assert.ok(!told.isError, told.text)
      return told
    },
    async refused(name, input) {
      const told = await call(name, input)
      assert.ok(told.isError, told.text)
      return told.text
    },
  }
}

type Fetch = (request: Request) => Promise<Response> | Response

/** Connects a client to the endpoint of an app or, without a fetch, of a server. */
export function agentByHttp(
  t: TestContext,
  url: string,
  key: string,
  revision: Revision,
  fetch?: Fetch,
): Promise<Agent> {
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
    ...(fetch && { fetch: async (input: string | URL, init?: RequestInit) => fetch(new Request(input, init)) }),
  })
  return agentOver(t, transport, revision)
}

export interface LocalAgent extends Agent {
  pid: number
  /** Everything that the process has written to stderr. */
  errors(): string
}

/** Connects a client that starts `conduct mcp` with that environment in that folder. */
export async function agentByStdio(
  t: TestContext,
  env: Record<string, string | undefined>,
  cwd: string,
  revision: Revision = '2026-07-28',
): Promise<LocalAgent> {
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [main, 'mcp'],
    env: Object.fromEntries(given),
    cwd,
    stderr: 'pipe',
  })
  let errors = ''
  transport.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  const agent = await agentOver(t, transport, revision)
  return { ...agent, pid: transport.pid ?? 0, errors: () => errors }
}
