import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { type Client, type ClientOptions, createClient } from '../../src/client/client.ts'
import { type AppOptions, createApp } from '../../src/http/app.ts'
import { openStore, type Store, type StoreOptions } from '../../src/store/open.ts'

/** A database engine that every behaviour is tested on. */
export interface Engine {
  name: 'sqlite' | 'postgres'
  /** The URL of an empty database, which is removed when the test ends. */
  freshUrl(t: TestContext): Promise<string>
}

const sqlite: Engine = {
  name: 'sqlite',
  async freshUrl(t) {
    const folder = mkdtempSync(join(tmpdir(), 'conduct-test-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    return `sqlite:${join(folder, 'conduct.db')}`
  },
}

let schemas = 0

const postgres: Engine = {
  name: 'postgres',
  // Schemas go with the server, which lives as long as the tests: one that is dropped while a store still works in it can deadlock.
  async freshUrl() {
    const server = process.env.CONDUCT_TEST_POSTGRES
    if (!server)
      throw new Error(
        'PostgreSQL is missing: run the tests by npm test, or with --test-global-setup=test/support/setup.ts.',
      )
    const schema = `test_${process.pid}_${++schemas}`
    await query(server, `create schema ${schema}`)
    return `${server}?options=${encodeURIComponent(`-c search_path=${schema}`)}`
  },
}

async function query(url: string, text: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

export const engines: Engine[] = [sqlite, postgres]

export interface Ledger {
  engine: Engine
  url: string
  store: Store
  /** The secret of the first admin key. */
  adminKey: string
  /** A client that holds the first admin key, of an app in process. */
  client: Client
  /** A client of the same app that holds another key, or acts in another project. */
  as(options: Partial<ClientOptions>): Client
  app: Pick<ReturnType<typeof createApp>, 'fetch'>
  /** A bare request to the app, with the first admin key unless it has another. */
  fetch(path: string, init?: RequestInit & { headers?: Record<string, string> }): Promise<Response>
  /** Moves the ledger's clock on. */
  sleep(ms: number): void
}

export type LedgerOptions = Omit<AppOptions, 'store'> & Pick<StoreOptions, 'adminKey' | 'warn'>

export const base = 'http://localhost/conduct'

/** An empty ledger on that engine, closed when the test ends. Its clock runs, and can be moved on. */
export async function openLedger(t: TestContext, engine: Engine, options: LedgerOptions = {}): Promise<Ledger> {
  const url = await engine.freshUrl(t)
  let ahead = 0
  const store = await openStore(url, { now: () => Date.now() + ahead, ...options })
  t.after(() => store.close())
  const adminKey = options.adminKey ?? store.newSecret ?? ''
  const app = createApp({ rateLimit: 0, ...options, store })
  const as = (more: Partial<ClientOptions>) =>
    createClient({ url: base, key: adminKey, attempts: 1, fetch: (request) => app.fetch(request), ...more })
  return {
    engine,
    url,
    store,
    adminKey,
    as,
    app,
    client: as({}),
    fetch: async (path, { headers, ...init } = {}) =>
      app.fetch(new Request(base + path, { ...init, headers: { authorization: `Bearer ${adminKey}`, ...headers } })),
    sleep: (ms) => {
      ahead += ms
    },
  }
}

/** The same test on every engine, each with an empty ledger. */
export function testLedger(
  name: string,
  body: (ledger: Ledger, t: TestContext) => Promise<void>,
  options?: LedgerOptions,
) {
  for (const engine of engines) {
    test(`${name} (${engine.name})`, async (t) => body(await openLedger(t, engine, options), t))
  }
}
