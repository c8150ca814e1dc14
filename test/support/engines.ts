import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Client, type ClientOptions, createClient } from '../../src/client/client.ts'
import { openStore, type Store, type StoreOptions } from '../../src/operations/open.ts'
import { type AppOptions, createApp } from '../../src/server/app.ts'
import { type JobOptions, startServerJobs } from '../../src/server/jobs/jobs.ts'
import { databaseFolder } from './folder.ts'
import { copyPostgres, copySqlite, run } from './template.ts'

/** A database engine that every behaviour is tested on. */
export interface Engine {
  name: 'sqlite' | 'postgres'
  /** The URL of an empty database, removed at the end of the test. */
  freshUrl(t: Lasting): Promise<string>
  /** An empty, migrated ledger. `giveBack` is for tests that have passed its URL to nobody else. */
  ledger(t: Lasting): Promise<{ url: string; giveBack?(): void }>
}

/** The engine of tests that work on one alone. */
export const sqlite: Engine = {
  name: 'sqlite',
  async freshUrl(t) {
    const folder = mkdtempSync(join(databaseFolder, 'conduct-test-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    return `sqlite:${join(folder, 'conduct.db')}`
  },
  async ledger(t) {
    const url = await sqlite.freshUrl(t)
    copySqlite(url.slice('sqlite:'.length))
    return { url }
  },
}

let database: Promise<string> | undefined
let schemas = 0

function postgresServer(): string {
  const server = process.env.CONDUCT_TEST_POSTGRES
  if (server) return server
  throw new Error(
    'PostgreSQL is missing: run the tests by npm test, or with --test-global-setup=test/support/setup.ts.',
  )
}

/** A database of this process alone: locks, notifications and waits for old transactions do not cross its border. */
async function ownDatabase(): Promise<string> {
  const name = `own_${process.pid}`
  await run(postgresServer(), `create database ${name}`)
  return postgresServer().replace(/\/[^/]*$/, `/${name}`)
}

const postgres: Engine = {
  name: 'postgres',
  // Schemas live as long as the server, which ends with the tests: dropping one while a store still works in it can
  // deadlock.
  async freshUrl() {
    database ??= ownDatabase()
    const schema = `test_${++schemas}`
    await run(await database, `create schema ${schema}`)
    return `${await database}?options=${encodeURIComponent(`-c search_path=${schema}`)}`
  },
  ledger: () => copyPostgres(postgresServer()),
}

/** The engines of this run: both, or those that CONDUCT_TEST_ENGINES names, separated by commas. */
export const engines: Engine[] = chosen(process.env.CONDUCT_TEST_ENGINES)

function chosen(names: string | undefined): Engine[] {
  const all = [sqlite, postgres]
  if (names === undefined) return all
  return names.split(',').map((name) => {
    const found = all.find((engine) => engine.name === name)
    if (found) return found
    throw new Error(`CONDUCT_TEST_ENGINES names '${name}', and the engines are sqlite and postgres.`)
  })
}

/** Registers a test of one engine, if this run has that engine. */
export function testOn(name: Engine['name'], title: string, body: (engine: Engine, t: TestContext) => Promise<void>) {
  for (const engine of engines) if (engine.name === name) test(title, (t) => body(engine, t))
}

export interface Ledger {
  engine: Engine
  url: string
  store: Store
  /** Opens the ledger as another server with the same clock does. The caller closes it before the test ends. */
  openAgain(): Promise<Store>
  /** The secret of the first admin key. */
  adminKey: string
  /** A client of an in-process app, with the first admin key. */
  client: Client
  /** A client of the same app with another key or project. */
  as(options: Partial<ClientOptions>): Client
  app: Pick<ReturnType<typeof createApp>, 'fetch'>
  /** A raw request to the app, by default with the first admin key. */
  fetch(path: string, init?: RequestInit & { headers?: Record<string, string> }): Promise<Response>
  /** Advances the ledger's clock. */
  advance(ms: number): void
}

type LedgerOptions = Omit<AppOptions, 'store'> &
  Pick<StoreOptions, 'adminKey' | 'clock' | 'warn'> &
  Pick<JobOptions, 'publicUrl'> & {
    /** Whether nothing happens by itself: no job runs, and only `advance` moves the clock. */
    isStill?: boolean
  }

export const base = 'http://localhost/conduct'

/** Something temporary, such as a test, with a hook for its end. */
export interface Lasting {
  after(end: () => unknown): void
}

/** Webhooks of tests may be on this machine. */
const webhooks = { allow: ['localhost', '127.0.0.1'] }

/** An empty ledger on that engine, closed at the end of the test. Unless it is still, its clock runs; it can be advanced. */
export async function openLedger(t: Lasting, engine: Engine, options: LedgerOptions = {}): Promise<Ledger> {
  const { url, giveBack } = await engine.ledger(t)
  let isShared = false
  let ahead = 0
  const begun = Date.now()
  const time = options.clock ? { clock: options.clock } : { now: () => (options.isStill ? begun : Date.now()) + ahead }
  const store = await openStore(url, { ...time, ...options })
  const jobs = options.isStill ? undefined : startServerJobs(store, options.warn ?? (() => {}), options)
  t.after(async () => {
    await jobs?.stop()
    await store.close()
    if (!isShared) giveBack?.()
  })
  const adminKey = options.adminKey ?? store.newSecret ?? ''
  const app = createApp({ rateLimit: 0, webhooks, ...options, store })
  const as = (more: Partial<ClientOptions>) =>
    createClient({ url: base, key: adminKey, attempts: 1, fetch: (request) => app.fetch(request), ...more })
  return {
    engine,
    get url() {
      isShared = true
      return url
    },
    store,
    openAgain: () => openStore(url, { firstKey: false, ...time }),
    adminKey,
    as,
    app,
    client: as({}),
    fetch: async (path, { headers, ...init } = {}) =>
      app.fetch(new Request(base + path, { ...init, headers: { authorization: `Bearer ${adminKey}`, ...headers } })),
    advance: (ms) => {
      ahead += ms
    },
  }
}

/** Opens an empty ledger for a function and closes it, for tests that need many. */
export async function withLedger<T>(engine: Engine, body: (ledger: Ledger, t: Lasting) => Promise<T>): Promise<T> {
  const ends: (() => unknown)[] = []
  const t = { after: (end: () => unknown) => ends.push(end) }
  try {
    return await body(await openLedger(t, engine), t)
  } finally {
    for (const end of ends) await end()
  }
}

/** Runs the same test on every engine, each with an empty ledger. */
export function testLedger(
  name: string,
  body: (ledger: Ledger, t: TestContext) => Promise<void>,
  options?: LedgerOptions,
) {
  for (const engine of engines) {
    test(`${name} (${engine.name})`, async (t) => body(await openLedger(t, engine, options), t))
  }
}
