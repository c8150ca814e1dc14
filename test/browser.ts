import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { serve } from '@hono/node-server'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { type Client, createClient } from '../src/client/client.ts'
import { createApp } from '../src/http/app.ts'
import { localActor } from '../src/key.ts'
import { engines, type Ledger, openLedger } from './engines.ts'
import { builtPage, unpackedBrowser } from './unpacked.ts'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
]

let browser: Promise<Browser> | undefined
after(async () => (await browser)?.close())

function openBrowser(): Promise<Browser> {
  browser ??= unpackedBrowser().then(({ executablePath, env }) =>
    chromium.launch({ executablePath, chromiumSandbox: false, args: flags, env: { ...process.env, ...env } }),
  )
  return browser
}

export interface Shown extends Ledger {
  page: Page
  context: BrowserContext
  /** Where the page is, with the base path and a slash at its end. */
  home: string
  /** A client that asks over HTTP. */
  remote: Client
  /** What went wrong on the page, and what it asked of other hosts; a test fails that leaves something here. */
  faults: string[]
}

/** A server over an empty ledger and the page that it serves, at an address below it (`#/runs`). All ends with the test. */
export async function openPage(t: TestContext, address = '', options: BrowserContextOptions = {}): Promise<Shown> {
  const [sqlite] = engines
  if (!sqlite) throw new Error('no engine')
  const ledger = await openLedger(t, sqlite)
  const { home, stop } = await serveLedger(ledger)
  const context = await (await openBrowser()).newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const faults = watch(context, home)
  t.after(async () => {
    await context.close()
    await stop()
  })
  await page.goto(home + address)
  const remote = createClient({ url: home, attempts: 1 })
  return { ...ledger, page, context, home, remote, faults }
}

/** Notes what no page may do: throw, break its content security policy, ask another host. */
function watch(context: BrowserContext, home: string): string[] {
  const faults: string[] = []
  const { host } = new URL(home)
  context.on('weberror', (error) => faults.push(`thrown: ${error.error().message}`))
  context.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) faults.push(message.text())
  })
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol !== 'data:' && url.protocol !== 'blob:' && url.host !== host) faults.push(`asked ${url}`)
  })
  return faults
}

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

async function serveLedger({ store }: Ledger, port = 0): Promise<{ home: string; stop: () => Promise<void> }> {
  const folder = await builtPage()
  const stopping = new AbortController()
  const app = createApp({ store, actor: localActor, rateLimit: 0, stopping: stopping.signal })
  const fetch = (request: Request) => {
    const path = new URL(request.url).pathname.replace('/conduct/', '') || 'index.html'
    if (!/^(index\.html|favicon\.svg|assets\/[\w.-]+)$/.test(path)) return app.fetch(request)
    const headers = { 'content-type': types[extname(path)] ?? '', 'content-security-policy': policy }
    return new Response(readFileSync(join(folder, path)), { headers })
  }
  const server = await new Promise<Server>((resolve) => {
    const server = serve({ fetch, port, hostname: '127.0.0.1' }, () => resolve(server)) as Server
  })
  return {
    home: `http://127.0.0.1:${(server.address() as AddressInfo).port}/conduct/`,
    stop: async () => {
      stopping.abort()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
