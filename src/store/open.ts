import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { defaultProject } from '../api/project.ts'
import { systemActor } from '../ledger/actor.ts'
import { hashOf, newSecret } from '../ledger/secret.ts'
import type { Ctx } from './ctx.ts'
import type { Db, Tx } from './engine/db.ts'
import { migrate } from './engine/migrations/migrate.ts'
import { purgeKept } from './idempotency.ts'
import { insertKey } from './key/key.ts'
import { purgeSessions } from './key/session.ts'
import { numberEvents } from './log/event.ts'
import { reap } from './run/lease.ts'
import { indexEvents } from './search/search.ts'

export interface StoreOptions {
  /** The secret of the first key, on a database that has none. */
  adminKey?: string | undefined
  /** Whether a database without keys is given its first one; who opens it in process needs none. */
  firstKey?: boolean
  /** Is told of faults that no caller waits for. */
  warn?: (error: Error) => void
  /** Receives a line now and then while the schema of a populated database is brought up to date. */
  onProgress?: (line: string) => unknown
  /** The clock, in Unix milliseconds; else the database's. */
  now?: () => number
}

export interface Store {
  db: Db
  /** This instant: ISO 8601, UTC, milliseconds. */
  now(): string
  /** The secret of the first key, when opening the store made it; it is stored nowhere. */
  newSecret?: string
  /** Whether `adminKey` was given and is not a key of this database. */
  ignoredAdminKey: boolean
  close(): Promise<void>
}

const numberEveryMs = 1000
const reapEveryMs = 1000
const indexEveryMs = 500
const purgeEveryMs = 60_000

/**
 * Opens the database at `url` (`sqlite:FILE`, `sqlite::memory:`, `postgres://…`), brings its schema up to date and, on
 * one without keys, makes the first. Throws when the URL is none of these, the schema is too new, or it cannot be reached.
 */
export async function openStore(url: string, options: StoreOptions = {}): Promise<Store> {
  const { adminKey, firstKey = true, warn = () => {} } = options
  const db = await openDb(url, warn)
  const clock = options.now ?? (() => db.now())
  const now = () => new Date(clock()).toISOString()
  let first: { newSecret?: string; ignoredAdminKey: boolean }
  try {
    await migrate(db, options.onProgress)
    first = await db.tx((tx) => prepare(tx, now(), adminKey, firstKey))
  } catch (error) {
    await db.close()
    throw error
  }
  // What lapsed while no server was there is known before the first answer.
  await reap(db, now())
  const chores = [
    every(reapEveryMs, () => reap(db, now()), warn),
    every(indexEveryMs, () => indexEvents(db), warn),
    every(numberEveryMs, () => numberEvents(db), warn),
    every(purgeEveryMs, () => purgeKept(db, now()), warn),
    every(purgeEveryMs, () => purgeSessions(db, now()), warn),
  ]
  return {
    db,
    now,
    ...first,
    async close() {
      // A database that is silent does not keep them from ending.
      await Promise.race([Promise.all(chores.map((stop) => stop())), sleep(500, undefined, { ref: false })])
      await db.close()
    },
  }
}

async function openDb(url: string, warn: (error: Error) => void): Promise<Db> {
  if (url.startsWith('sqlite:')) return (await import('./engine/sqlite.ts')).openSqlite(url.slice('sqlite:'.length))
  if (/^postgres(ql)?:/.test(url)) return (await import('./engine/postgres.ts')).openPostgres(url, warn)
  throw new Error('A database URL is sqlite:FILE, sqlite::memory: or postgres://…')
}

/** The default project and the first key, in one transaction that only one server runs at a time. */
async function prepare(db: Tx, now: string, adminKey: string | undefined, firstKey: boolean) {
  await db.query(db.dialect.alone)
  await db.query(sql`insert into projects (slug, name, created_at, updated_at)
    values (${defaultProject}, ${defaultProject}, ${now}, ${now}) on conflict do nothing`)
  const [project] = await db.query<{ id: number }>(sql`select id from projects where slug = ${defaultProject}`)
  const [key] = await db.query(sql`select 1 as one from keys limit 1`)
  if (key) {
    const [same] = adminKey ? await db.query(sql`select 1 as one from keys where hash = ${hashOf(adminKey)}`) : [key]
    return { ignoredAdminKey: !same }
  }
  if (!firstKey) return { ignoredAdminKey: false }
  const secret = adminKey ?? newSecret(['admin'])
  const ctx: Ctx = {
    db,
    now,
    actor: systemActor,
    project: { id: (project as { id: number }).id, slug: defaultProject },
    named: false,
    contentLimit: 0,
  }
  await insertKey(ctx, secret, { name: 'first admin', permissions: ['admin'], projectId: null, expiresAt: null })
  return { ignoredAdminKey: false, ...(adminKey === undefined && { newSecret: secret }) }
}

/** Runs `chore` again `ms` after it last ended, until the function that this gives is called. */
function every(ms: number, chore: () => Promise<void>, warn: (error: Error) => void) {
  let timer: NodeJS.Timeout
  let running = Promise.resolve()
  const next = () => {
    timer = setTimeout(() => {
      running = chore().catch(warn).finally(next)
    }, ms).unref()
  }
  next()
  return async () => {
    clearTimeout(timer)
    await running
    clearTimeout(timer)
  }
}
