import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Db, Tx } from './db.ts'
import { driftMs } from './drift.ts'
import { atOneMoment, createTransactions, sharedStatements } from './postgres/batch.ts'
import { settle } from './postgres/connect.ts'
import { dialect } from './postgres/dialect.ts'
import { translate } from './postgres/errors.ts'
import { guard, PostgresHosts } from './postgres/hosts.ts'
import { changeSchema, openSnapshot, scrub } from './postgres/own-connection.ts'
import { Pool, type PoolOptions } from './postgres/pool.ts'
import { readReplication, readRisks } from './postgres/server.ts'
import { createWatcher } from './postgres/watch.ts'
import { stopping } from './transaction.ts'

/** Connections for reads and shared transactions. */
const connections = 6
/** Connections for transactions that run alone. A wait for a lock there does not block the others. */
const connectionsAlone = 6
const clockEveryMs = 60_000
/** The same after the clock leapt. */
const clockAfterLeapMs = 2_000
/** How long `close` waits for work in progress, in milliseconds. */
const endMs = 500

/**
 * Opens the PostgreSQL database at `url`. Throws UNAVAILABLE if it cannot be reached. `warn` receives errors that no
 * caller waits for, such as the loss of an idle connection.
 */
export async function openPostgres(url: string, warn: (error: Error) => void): Promise<Db> {
  const clock = databaseClock()
  const hosts = new PostgresHosts(url)
  const pools = openPools({ hosts, onClock: clock.set, warn })
  const query = sharedStatements(pools.common)
  const base = { dialect, now: clock.now, apart: { query: sharedStatements(pools.aside) } }
  const transact = createTransactions(pools.common, pools.alone, base)
  const watcher = createWatcher({ hosts, query, warn })
  const underWay = new Set<Promise<unknown>>()
  let closed = false
  await readClock(pools.common, clock).catch(async (error) => {
    await pools.close()
    throw error
  })
  const unguard = guard(hosts, warn)
  let readAt = performance.now()
  const readAgain = () => {
    if (!clock.hasLeapt() && performance.now() - readAt < clockEveryMs) return
    readAt = performance.now()
    void readClock(pools.common, clock).catch(warn)
  }
  const reading = setInterval(readAgain, clockAfterLeapMs).unref()
  return {
    ...base,
    fault: () => undefined,
    risks: () => readRisks(query),
    replication: () => readReplication(query),
    query,
    moment: (reads) => atOneMoment(pools.common, reads),
    tx<T>(work: (tx: Tx) => Promise<T>, subject?: string) {
      if (closed) return Promise.reject(stopping())
      const running = transact(work, subject)
      underWay.add(running)
      running.then(watcher.committed, () => {})
      return running.finally(() => underWay.delete(running))
    },
    watch: watcher.watch,
    snapshot: async () => openSnapshot(await connect(hosts, 'conduct export', warn)),
    changeSchema: (work, onWait) => changeSchema(() => connect(hosts, 'conduct upgrade', warn), base, work, onWait),
    scrub: () => scrub(() => connect(hosts, 'conduct erase', warn)),
    giveBack: async () => false,
    async close() {
      if (closed) return
      closed = true
      clearInterval(reading)
      unguard()
      watcher.close()
      await Promise.race([Promise.allSettled(underWay), sleep(endMs, undefined, { ref: false })])
      await pools.close()
    },
  }
}

function openPools(options: Omit<PoolOptions, 'max'>) {
  const common = new Pool({ ...options, max: connections })
  const alone = new Pool({ ...options, max: connectionsAlone })
  // A claimed number need not be durable: callers see it only after a later commit is on disk, and the log with it.
  const aside = new Pool({ ...options, max: 1, settings: { synchronous_commit: 'off' } })
  const close = () => Promise.all([common.close(), alone.close(), aside.close()])
  return { common, alone, aside, close }
}

/** A separate connection without the time limits of requests. */
async function connect(hosts: PostgresHosts, name: string, warn: (error: Error) => void): Promise<pg.Client> {
  const client = await hosts.connect({ application_name: name, query_timeout: 0, pipeline: false })
  client.on('error', warn)
  return client
}

/**
 * The clock of the database, shared by servers whose own clocks differ. It is read at intervals, and extrapolated in
 * between.
 */
function databaseClock() {
  let offset = performance.timeOrigin
  let leaptAt = Number.NEGATIVE_INFINITY
  return {
    now: () => offset + performance.now(),
    set(measured: number | undefined) {
      if (measured !== undefined && Math.abs(measured - offset) > driftMs) leaptAt = performance.now()
      offset = measured ?? offset
    },
    /** Whether the clock leapt within the last minute: it may return at any moment. */
    hasLeapt: () => performance.now() - leaptAt < 60_000,
  }
}

/** Reads the clock. Throws UNAVAILABLE. A connection with an error is closed. */
async function readClock(pool: Pool, clock: ReturnType<typeof databaseClock>) {
  const client = await pool.take()
  try {
    clock.set((await settle(client)).clock)
    pool.give(client)
  } catch (cause) {
    const error = translate(cause)
    pool.give(client, error, true)
    throw error
  }
}
