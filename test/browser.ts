import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { serve } from '@hono/node-server'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { type Client, createClient } from '../src/client/client.ts'
import { createApp } from '../src/http/app.ts'
import type { Permission } from '../src/secret.ts'
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
  /** Opens another tab of the same browser. */
  openTab(address?: string): Promise<Page>
  /** Ends the server, and after `away` is done starts it again at the same address. */
  restart(away?: () => Promise<void>): Promise<void>
}

export interface PageOptions extends BrowserContextOptions {
  /** What the key of the session may do: everything, unless told otherwise. Without any, nobody is logged in. */
  permissions?: Permission[]
}

/**
 * A server over an empty ledger and the page that it serves, at an address below it (`#/runs`). All ends with the test,
 * which fails when the page threw something, broke its content security policy or asked another host.
 */
export async function openPage(t: TestContext, address = '', options: PageOptions = {}): Promise<Shown> {
  const { permissions = ['admin'], ...more } = options
  const [sqlite] = engines
  if (!sqlite) throw new Error('no engine')
  const ledger = await openLedger(t, sqlite)
  let server = await serveLedger(ledger)
  const { home, port } = server
  const context = await (await openBrowser()).newContext({ viewport: { width: 1280, height: 800 }, ...more })
  context.setDefaultTimeout(10_000)
  const faults = watch(context, home)
  t.after(async () => {
    await context.close()
    await server.stop()
    assert.deepEqual(faults, [])
  })
  const openTab = async (address = '') => {
    const page = await context.newPage()
    await page.goto(home + address)
    return page
  }
  if (permissions.length > 0) {
    const { secret } = await ledger.client.createKey({ name: 'ada', permissions })
    // As the page does it, but for the form.
    await context.request.post(`${home}v1/auth/session`, { data: { key: secret } })
  }
  const page = await openTab(address)
  const remote = createClient({ url: home, key: ledger.adminKey, attempts: 1 })
  const restart = async (away = async () => {}) => {
    await server.stop()
    await away()
    server = await serveLedger(ledger, port)
  }
  return { ...ledger, page, context, home, remote, openTab, restart }
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

async function serveLedger({ store }: Ledger, port = 0) {
  const folder = await builtPage()
  const stopping = new AbortController()
  const app = createApp({ store, rateLimit: 0, stopping: stopping.signal })
  const fetch = (request: Request) => {
    const path = new URL(request.url).pathname.replace('/conduct/', '') || 'index.html'
    if (!/^(index\.html|favicon\.svg|assets\/[\w.-]+)$/.test(path)) return app.fetch(request)
    const headers = { 'content-type': types[extname(path)] ?? '', 'content-security-policy': policy }
    return new Response(readFileSync(join(folder, path)), { headers })
  }
  const server = await new Promise<Server>((resolve) => {
    const server = serve({ fetch, port, hostname: '127.0.0.1' }, () => resolve(server)) as Server
  })
  const { port: taken } = server.address() as AddressInfo
  return {
    home: `http://127.0.0.1:${taken}/conduct/`,
    port: taken,
    stop: async () => {
      stopping.abort()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
