import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { createMcpServer, type McpOptions } from './server.ts'

export interface StdioServer {
  /** Resolves once the client has closed its end or `close` was called, and no call is in progress. */
  closed: Promise<void>
  close(): Promise<void>
}

/** Serves MCP on stdin and stdout of this process, in the protocol version that the client opens with. */
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
      // Nobody reads their results any more, but their writes were requested.
      resolve(Promise.all(underWay).then(() => {}))
    }
  })
  return { closed, close: () => handle.close() }
}
