import assert from 'node:assert/strict'
import { after, type TestContext } from 'node:test'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { type Client, createClient } from '../../src/client/client.ts'
import type { Permission } from '../../src/contract/secret.ts'
import { openStore, type Running, serve } from '../../src/server/serve.ts'
import { engines } from './engines.ts'
import { adminKey } from './server.ts'
import { builtPage, fileOfOrigin, launchBrowser, logInBy, logInContext } from './unpacked.ts'

let browser: Promise<Browser> | undefined
after(async () => (await browser)?.close())

/** The browser of this process, closed at its end. */
export function openBrowser(): Promise<Browser> {
  browser ??= launchBrowser()
  return browser
}

export interface Shown {
  page: Page
  context: BrowserContext
  /** The URL of the page, with the base path and a trailing slash. */
  home: string
  /** A client with the first admin key. */
  client: Client
  /** Logs the browser in with a key, as its pages learn when they load. */
  logIn(key: string): Promise<void>
  /** Opens another tab of the same browser. */
  openTab(address?: string): Promise<Page>
  /** Stops the server, waits for `away`, and starts it again at the same address. */
  restart(away: () => Promise<void>): Promise<void>
  /** Settles once a tab receives events. Changes before that reach the page only as what it then reads. */
  live: Promise<void>
  /** Advances the server's clock. */
  advance(ms: number): void
}

interface PageOptions extends BrowserContextOptions {
  /** The permissions of the session's key; all by default. With none, nobody is logged in. */
  permissions?: Permission[]
  /** Whose the session's key is; nobody's by default. */
  person?: string
  /** The path before the page and the API. */
  basePath?: string
  /** A script that runs first in every document of the browser. */
  before?: string
  /** The time of day of the server, in Unix milliseconds. The ledger doubts it after a leap, which `advance` is not. */
  wall?: () => number
  /** The port of the server; any by default. A test that restarts it chooses one that no other server is given meanwhile. */
  port?: number
  /** The largest content, in bytes. */
  contentLimit?: number
}

/** The address for a test that first writes what the page shows. Until the test goes to a page, none follows what it writes. */
export const blank = fileOfOrigin

/**
 * Opens the page of a server with an empty SQLite file, at an address below it (`#/runs`). Everything ends with the
 * test, which fails if the page threw an error, violated its content security policy or contacted another host.
 */
export async function openPage(t: TestContext, address = '', options: PageOptions = {}): Promise<Shown> {
  const {
    permissions = ['admin'],
    person,
    basePath = '/conduct',
    contentLimit,
    before,
    wall,
    port: wanted = 0,
    ...more
  } = options
  const [sqlite] = engines
  const { url: databaseUrl } = await (sqlite as (typeof engines)[0]).ledger(t)
  const webFolder = await builtPage()
  let ahead = 0
  let running: Running | undefined
  const start = async (port: number) => {
    const time = wall ? { clock: { wall } } : { now: () => Date.now() + ahead }
    const store = await openStore(databaseUrl, { adminKey, ...time })
    running = await serve({ host: '127.0.0.1', port, store, basePath, webFolder, contentLimit, rateLimit: 0 })
    return running
  }
  const { url, port } = await start(wanted)
  const home = `${url}/`
  const client = createClient({ url, key: adminKey, attempts: 1 })
  const context = await (await openBrowser()).newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
    ...more,
  })
  context.setDefaultTimeout(15_000)
  if (before !== undefined) await context.addInitScript(before)
  const faults = watch(context, home)
  const live = firstStream(context)
  t.after(async () => {
    await context.close()
    await running?.stop()
    assert.deepEqual(faults, [])
  })

  const logIn = (key: string) => logInContext(context, home, key)
  const page = await context.newPage()
  if (permissions.length > 0) {
    await logInBy(page, home, (await client.createKey({ name: 'ada', permissions, person })).secret)
  }
  // Whoever is logged in is there already.
  if (address !== blank || permissions.length === 0) await page.goto(home + address)
  const openTab = async (address = '') => {
    const page = await context.newPage()
    await page.goto(home + address)
    return page
  }
  const restart = async (away: () => Promise<void>) => {
    await running?.stop()
    await away()
    await start(port)
  }
  const advance = (ms: number) => {
    ahead += ms
  }
  return { page, context, home, client, logIn, openTab, restart, live, advance }
}

/** Waits for the first stream of events. */
const firstStream = (context: BrowserContext) =>
  new Promise<void>((resolve) => {
    context.on('response', (response) => {
      if (response.request().headers().accept === 'text/event-stream' && response.ok()) resolve()
    })
  })

/** Collects what no page may do: throw, violate its content security policy, contact another host. */
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
