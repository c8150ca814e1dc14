import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import sql from 'sql-template-tag'
import { only, type Replication, type Tx } from '../engine/db.ts'
import type { Store } from './open.ts'

/** Counts stop here: each fact must be cheap, however large the ledger is. */
const mostCounted = 10_000

/** What an operator monitors. Counts stop at `mostCounted`. */
export interface HealthFacts {
  liveRuns: number
  /** Live runs with an expired lease that no server has failed yet. */
  lapsedLeases: number
  newestSeq: number
  /** When the newest event happened; null in a ledger without events. */
  newestAt: string | null
  /** Entries of the word index that wait to be renewed. */
  waitingEntries: number
  databaseBytes: number
  /** For SQLite: the size of the write-ahead log, and the free space on its disk. */
  file: { path: string; walBytes: number; freeBytes: number } | undefined
}

/** Reads these facts. */
export async function readFacts(db: Tx, now: string): Promise<HealthFacts> {
  const count = (rows: { n: number }[]) => Number(only(rows).n)
  const [live, lapsed, newest, waiting, size] = await Promise.all([
    db.query<{ n: number }>(sql`select count(*) as n from (select runs.id from projects cross join runs
      where runs.project_id = projects.id and runs.status = 'in_progress' limit ${mostCounted}) as live`),
    db.query<{ n: number }>(sql`select count(*) as n from
      (select id from runs where lease_expires_at <= ${now} limit ${mostCounted}) as lapsed`),
    db.query<{ seq: number; at: string }>(sql`select seq, at from events order by seq desc limit 1`),
    db.query<{ n: number }>(sql`select count(*) as n from
      (select id from search_entries where is_stale = 1 limit ${mostCounted}) as waiting`),
    sizeOf(db),
  ])
  return {
    liveRuns: count(live),
    lapsedLeases: count(lapsed),
    newestSeq: newest[0]?.seq ?? 0,
    newestAt: newest[0]?.at ?? null,
    waitingEntries: count(waiting),
    ...size,
  }
}

async function sizeOf(db: Tx): Promise<Pick<HealthFacts, 'databaseBytes' | 'file'>> {
  if (!db.dialect.commitsInOrder) {
    const rows = await db.query<{ bytes: number }>(sql`select pg_database_size(current_database()) as bytes`)
    return { databaseBytes: Number(only(rows).bytes), file: undefined }
  }
  const [main] = await db.query<{ file: string }>(sql`select file from pragma_database_list where name = 'main'`)
  const path = main?.file ?? ''
  if (path === '') {
    const rows = await db.query<{ bytes: number }>(sql`
      select page_count * page_size as bytes from pragma_page_count, pragma_page_size`)
    return { databaseBytes: only(rows).bytes, file: undefined }
  }
  const [{ size }, wal, disk] = await Promise.all([
    stat(path),
    stat(`${path}-wal`).catch(() => undefined),
    statfs(dirname(path)),
  ])
  return { databaseBytes: size, file: { path, walBytes: wal?.size ?? 0, freeBytes: disk.bavail * disk.bsize } }
}

/** How many runs ended, in a section of the log. */
interface EndedRuns {
  /** The last event read. */
  end: number
  completed: number
  failed: number
  /** The failed ones whose lease expired. */
  leaseLost: number
}

/** How many events to read at once. */
const eventsAtOnce = 2_000

/** Counts the runs that ended in the events after `after`. Reads a limited number of events. */
export async function readEnded(db: Tx, after: number): Promise<EndedRuns> {
  const { last } = only(await db.query<{ last: number }>(sql`select coalesce(max(seq), 0) as last from events`))
  const end = Math.min(last, after + eventsAtOnce)
  const rows = await db.query<{ changes: string }>(sql`select changes from events
    where seq > ${after} and seq <= ${end} and type in ('run.created', 'run.updated') and is_append = 0
      and changes like ${'%"status":[%'}`)
  const ended: EndedRuns = { end: Math.max(after, end), completed: 0, failed: 0, leaseLost: 0 }
  for (const { changes } of rows) {
    const { status, failure } = JSON.parse(changes) as {
      status?: unknown[]
      failure?: [unknown, { code?: string } | null]
    }
    if (status?.[1] === 'completed') ended.completed++
    if (status?.[1] !== 'failed') continue
    ended.failed++
    if (failure?.[1]?.code === 'LEASE_EXPIRED') ended.leaseLost++
  }
  return ended
}

/** How the database of a ledger is, for its operator. */
export interface Condition {
  facts: HealthFacts
  /** Undefined for SQLite. */
  replication: Replication | undefined
  /** Milliseconds by which the clock of the database is ahead of that of this machine. */
  aheadMs: number
  /** Why the time may be wrong. */
  doubt: string | undefined
}

export async function readCondition({ db, now, doubt }: Store): Promise<Condition> {
  const aheadMs = db.now() - Date.now()
  const [facts, replication] = await Promise.all([readFacts(db, now()), db.replication()])
  return { facts, replication, aheadMs, doubt: doubt() }
}

/** The damage that SQLite finds in its file; empty if there is none, or on PostgreSQL. Reads the whole file. */
export async function damages({ db }: Store, url: string): Promise<string[]> {
  if (!url.startsWith('sqlite:')) return []
  const rows = await db.query<{ quick_check: string }>(sql`pragma quick_check`)
  return rows.map(({ quick_check }) => quick_check).filter((text) => text !== 'ok')
}

/** Throws the error of a write, or the damage found during it. */
export async function tryWrite({ db, now }: Store): Promise<void> {
  const fault = db.fault()
  if (fault) throw fault
  await db.tx((tx) =>
    tx.query(sql`insert into health (id, checked_at) values (1, ${now()})
      on conflict (id) do update set checked_at = excluded.checked_at`),
  )
}

/** How far a follower is behind the end of the log. */
export interface Lag {
  follower: string
  /** The events that it has not read yet. */
  events: number
}

/** The most webhooks with a lag. Metrics with more series help nobody. */
const mostWebhooks = 1000

/** The lag of each follower and each enabled webhook, by name. Events without a number do not count. */
export const readLags = (db: Tx): Promise<Lag[]> =>
  db.query<Lag>(sql`
    select name as follower, (select coalesce(max(seq), 0) from events) - last_seq as events
    from (
      select name, last_seq from followers
      union all
      select name, last_seq from (select 'webhook/' || id as name, after_seq as last_seq from webhooks
        where enabled = 1 order by id limit ${mostWebhooks}) as sending
    ) as all_followers order by name`)
