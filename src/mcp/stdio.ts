import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { createMcpServer, type McpOptions } from './server.ts'

export interface StdioServer {
  /** Resolves when the client has closed its end, or `close` was called, and no call is under way any more. */
  closed: Promise<void>
  close(): Promise<void>
}

/** Serves MCP on this process' stdin and stdout, in the protocol that the client opens with. */
export function serveMcp(options: McpOptions): StdioServer {
  const wire = new StdioServerTransport()
  const underWay = new Set<Promise<unknown>>()
  const began = (call: Promise<unknown>) => {
    underWay.add(call)
    void call.finally(() => underWay.delete(call))
  }
  const handle = serveStdio(() => createMcpServer({ ...options, began }), {
    transport: wire,
    maxSubscriptions: 0,
    onerror: options.warn,
  })
  const tearDown = wire.onclose
  const closed = new Promise<void>((resolve) => {
    wire.onclose = () => {
      tearDown?.()
      // Nobody hears their answers, but what they write is asked for.
      resolve(Promise.all(underWay).then(() => {}))
    }
  })
  return { closed, close: () => handle.close() }
}
