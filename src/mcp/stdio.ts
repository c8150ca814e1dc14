import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { createMcpServer, type McpOptions } from './server.ts'

interface StdioServer {
  /** Resolves once the client has closed its end or `close` was called, and no call is in progress. */
  closed: Promise<void>
  close(): Promise<void>
}

/** What a line of the client is, if it is no message; other errors are returned as they are. */
function inWords(error: Error): unknown {
  if (error instanceof SyntaxError) return `Ignored a line that is not JSON: ${error.message}`
  if (error.name.endsWith('ZodError'))
    return 'Ignored a line that is not a JSON-RPC 2.0 message, such as {"jsonrpc":"2.0","id":1,"method":"tools/list"}'
  return error
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
    onerror: (error) => options.warn(inWords(error)),
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
