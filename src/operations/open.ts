import { setImmediate as turn } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { localActor } from '../contract/actor.ts'
import { hashOf, newSecret } from '../contract/secret.ts'
import type { Db, Tx } from '../engine/db.ts'
import { has, migrate } from '../engine/migrations/migrate.ts'
import { requireWhole } from '../export/target.ts'
import { indexMore } from '../find/follow.ts'
import { type Clock, type ClockOptions, createClock, type Leap, type LogTimes, startOf } from '../frame/clock.ts'
import { systemCtx } from '../frame/ctx.ts'
import { purgeKept } from '../frame/idempotency.ts'
import { numberEvents } from '../log/number.ts'
import { sealIfStale } from '../log/seal/read.ts'
import { insertKey } from '../nouns/key/key.ts'
import { defaultProject } from '../nouns/project/fields.ts'
import { createProject } from '../nouns/project/project.ts'
import { wakeAttention } from '../nouns/run/attention/update.ts'
import { rejudgeNext } from '../nouns/run/check/rejudge.ts'
import { reap } from '../nouns/run/take-lease.ts'
import { emptyNext, newPlace } from '../removal/empty-project.ts'

export interface StoreOptions {
  /** The secret of the first key, for a database without an admin key. */
  adminKey?: string | undefined
  /** Whether to create a first key in a database without an admin key. In-process users need none. */
  firstKey?: boolean
  /** Receives errors that no caller waits for. */
  warn?: (error: Error) => void
  /** Receives a progress line now and then during a migration. */
  onProgress?: (line: string) => unknown
  /** The time of every operation, in Unix milliseconds; by default that of the ledger's own clock. */
  now?: () => number
  /** The sources of the ledger's own clock; by default that of the database. */
  clock?: Pick<ClockOptions, 'wall' | 'monotonic' | 'uptime'>
}

export interface Store extends AsyncDisposable {
  db: Db
  /** The current time: ISO 8601, UTC, milliseconds. */
  now(): string
  /**
   * Why the time may be wrong, in words for the operator; undefined if nothing suggests that. Until it is undefined again,
   * nothing may be removed because of its age.
   */
  doubt(): string | undefined
  /** The leap of the clock that `doubt` is about, if it is about one that this process has seen or read of. */
  leap(): Leap | undefined
  /** Whether the time has run evenly for a minute. */
  isSteady(): boolean
  /** The secret of the first key, if it was created now. It is stored nowhere. */
  newSecret?: string
  /** Whether `adminKey` was given but is not a key of this database. */
  ignoredAdminKey: boolean
  close(): Promise<void>
}

/**
 * Opens the database at `url` (`sqlite:FILE`, `sqlite::memory:`, `postgres://…`), migrates its schema, and creates the
 * first key if there is none. Throws if the URL has another form, the schema is too new, or the database cannot be
 * reached.
 */
export async function openStore(url: string, options: StoreOptions = {}): Promise<Store> {
  const { adminKey, firstKey = true, warn = () => {} } = options
  const db = await openDb(url, warn)
  let clock: Clock
  let first: { newSecret?: string; ignoredAdminKey: boolean }
  try {
    // A database of an earlier version has no such table.
    if (await has(db, 'imports')) await requireWhole(db)
    await migrate(db, options.onProgress)
    clock = options.now
      ? { now: options.now, doubt: () => undefined, leap: () => undefined, isSteady: () => true }
      : await openClock(db, options.clock)
    first = await db.tx((tx) => prepare(tx, textOf(clock), adminKey, firstKey))
  } catch (error) {
    await db.close()
    throw error
  }
  const { doubt, leap, isSteady } = clock
  const now = () => textOf(clock)
  // Leases that expired while no server ran take effect before the first response.
  await reap(db, now()).catch(warn)
  await wakeAttention(db, now()).catch(warn)
  const close = () => db.close()
  return { db, now, doubt, leap, isSteady, ...first, close, [Symbol.asyncDispose]: close }
}

const textOf = ({ now }: Clock) => new Date(now()).toISOString()

/** Opens a database as it is, without schema, default project or key. */
export async function openDb(url: string, warn: (error: Error) => void): Promise<Db> {
  if (url.startsWith('sqlite:'))
    return (await import('../engine/sqlite.ts')).openSqlite(url.slice('sqlite:'.length), warn)
  if (/^postgres(ql)?:/.test(url)) return (await import('../engine/postgres.ts')).openPostgres(url, warn)
  throw new Error('A database URL must be sqlite:FILE, sqlite::memory: or postgres://…')
}

/** Creates the default project and the first key, in one transaction that only one server runs at a time. */
async function prepare(db: Tx, now: string, adminKey: string | undefined, firstKey: boolean) {
  await db.query(db.dialect.alone)
  const ctx = systemCtx(db, now)
  const [project] = await db.query(sql`select 1 as one from projects where slug = ${defaultProject}`)
  if (!project) await createProject(ctx, { slug: defaultProject })
  const [same] = adminKey ? await db.query(sql`select 1 as one from keys where hash = ${hashOf(adminKey)}`) : []
  if (same) return { ignoredAdminKey: false }
  if (await hasAdmin(db, now)) return { ignoredAdminKey: adminKey !== undefined }
  if (!firstKey) return { ignoredAdminKey: false }
  const secret = adminKey ?? newSecret(['admin'])
  await insertKey(ctx, secret, { name: 'first admin', permissions: ['admin'], projectId: null, expiresAt: null })
  return { ignoredAdminKey: false, ...(adminKey === undefined && { newSecret: secret }) }
}

/** Whether somebody has a live admin key of the whole server. The keys of local logins are of browsers, and end. */
async function hasAdmin(db: Tx, now: string): Promise<boolean> {
  const rows = await db.query<{ permissions: string }>(sql`
    select permissions from keys where project_id is null and actor_id <> ${localActor.id} and revoked_at is null
      and (expires_at is null or expires_at > ${now})`)
  return rows.some(({ permissions }) => permissions.split(' ').includes('admin'))
}

/** How many events show whether a clock was wrong. */
const looked = 1_000

/** The clock of a ledger, which continues from its log ([ADR 22](../../docs/adr/0022-the-clock-may-be-wrong.md)). */
async function openClock(db: Tx, options: ClockOptions = {}): Promise<Clock> {
  const { wall = db.now } = options
  return createClock({ ...options, wall, ...startOf(await readTimes(db), wall()), leap: await readLeap(db) })
}

/** Stores which leap the clock doubts, if any, for processes that open the ledger later: they have not seen it. */
export async function keepLeap(db: Db, leap: Leap | undefined): Promise<void> {
  await db.tx(async (tx) => {
    await tx.query(sql`delete from clock_leaps`)
    if (!leap) return
    const [at, until] = [leap.at, leap.until].map((ms) => new Date(ms).toISOString())
    await tx.query(sql`insert into clock_leaps (id, words, at, until, ahead_ms)
      values (1, ${leap.words}, ${at}, ${until}, ${Math.round(leap.aheadMs)})`)
  })
}

async function readLeap(db: Tx): Promise<Leap | undefined> {
  const [row] = await db.query<{ words: string; at: string; until: string; ahead_ms: number }>(sql`
    select words, at, until, ahead_ms from clock_leaps`)
  if (!row) return undefined
  const { words, at, until, ahead_ms: aheadMs } = row
  return { words, at: Date.parse(at), until: Date.parse(until), aheadMs: Number(aheadMs) }
}

async function readTimes(db: Tx): Promise<LogTimes> {
  await numberEvents(db)
  const [newest, first] = await Promise.all([
    db.query<{ at: string }>(sql`select at from events order by seq desc limit ${looked}`),
    db.query<{ at: string }>(sql`select at from events order by seq limit 1`),
  ])
  const [oldest] = first
  return { newest: newest.map(({ at }) => Date.parse(at)), first: oldest && Date.parse(oldest.at) }
}

/** How long a command spends on indexing after a write, in milliseconds. */
const indexMs = 10
/** How long a command goes on removing what was in projects that were deleted, and giving back its space. */
const emptyMs = 2_000

/**
 * Maintenance by a command before it closes the ledger, in case no server ever runs: indexes a little for the next
 * search, seals the log once a minute, deletes some expired responses, empties deleted projects, derives verdicts of an earlier
 * version again, and gives back space.
 */
export async function tidy({ db, now, doubt }: Store): Promise<void> {
  await indexMore(db, indexMs)
  await sealIfStale(db, now())
  if (doubt() === undefined) await purgeKept(db, now())
  const place = newPlace()
  const end = performance.now() + emptyMs
  while (performance.now() < end && (await emptyNext(db, now(), place))) await turn()
  while (performance.now() < end && (await rejudgeNext(db, now()))) await turn()
  while (performance.now() < end && (await db.giveBack())) await turn()
}
