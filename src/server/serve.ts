import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { nodeHttp } from '../builtin.ts'
import { type AppOptions, createApp } from './app.ts'
import { startServerJobs } from './jobs/jobs.ts'
import type { AnchorOptions } from './jobs/seal.ts'
import { createListener, inBatches, limitPipelines } from './listener.ts'

export { openStore, type Store, type StoreOptions } from '../operations/open.ts'
export { type AppOptions, createApp } from './app.ts'

export interface ServeOptions extends Omit<AppOptions, 'stopping' | 'actor'>, AnchorOptions {
  host: string
  /** 0 takes a free one. */
  port: number
  log?: Logger
  /** Days after which events are dropped from the log; 0 or undefined for never. */
  logDays?: number | undefined
  /** The address of the page, for links in messages of webhooks; undefined leaves them out. */
  publicUrl?: string | undefined
  /** Milliseconds after which a client that reads nothing of its response is disconnected; default 30,000. */
  stallMs?: number
}

export interface Running {
  /** The address with the base path. */
  url: string
  port: number
  /** Stops accepting connections, finishes open requests within 10 s, and closes the store. */
  stop(): Promise<void>
}

/** How long open requests may take while the server stops, in milliseconds. What follows them may take 3,500 more. */
const drainMs = 6_000
const serverOptions = {
  // A second Authorization, say, must not be ignored.
  joinDuplicateHeaders: true,
  // Clients that send their request more slowly are disconnected.
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
}

/** Serves a store over HTTP. Throws EADDRINUSE and the like when it cannot listen. */
export async function serve({ host, port, stallMs = 30_000, ...options }: ServeOptions): Promise<Running> {
  const stopping = new AbortController()
  const app = createApp({ ...options, stopping: stopping.signal })
  const warn = (error: unknown) => options.log?.warn({ err: error }, 'background work failed')
  const fail = (error: unknown) => options.log?.error({ err: error }, 'request failed')
  const listener = createListener({ app, stallMs, fail })
  const server = nodeHttp().createServer(serverOptions, limitPipelines(inBatches(listener)))
  server.listen(port, host)
  await once(server, 'listening')
  // For example, when the process runs out of file descriptors. Open connections continue.
  server.on('error', (error) => options.log?.warn({ err: error }, 'could not accept a connection'))
  const jobs = startServerJobs(options.store, warn, options)
  let stopped: Promise<void> | undefined

  async function stop() {
    stopping.abort()
    await drained(server)
    await jobs.stop()
    await options.store.close()
  }

  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${name}:${address.port}${options.basePath ?? '/conduct'}`,
    port: address.port,
    stop: () => (stopped ??= stop()),
  }
}

/** Stops accepting connections and waits for the open ones, but only for a time. */
async function drained(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  const deadline = setTimeout(() => server.closeAllConnections(), drainMs)
  await closed
  clearTimeout(deadline)
}
