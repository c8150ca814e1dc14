import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { createClock } from '../../ledger/clock.ts'
import type { Db, Tx } from './db.ts'
import { createTransactions } from './postgres/batch.ts'
import { config, settle } from './postgres/connect.ts'
import { dialect } from './postgres/dialect.ts'
import { createPool, type Pool } from './postgres/pool.ts'
import { sharedStatements } from './postgres/reading.ts'
import { changeSchema } from './postgres/schema.ts'
import { createWatcher } from './postgres/watch.ts'
import { stopping } from './transaction.ts'

/** For reads and common transactions. */
const connections = 6
/** For transactions that run alone: what waits for a lock there keeps no connection from the others. */
const connectionsAlone = 6
const clockEveryMs = 60_000
/** How long `close` waits for what is under way. */
const endMs = 500

/**
 * Opens the PostgreSQL database at `url`. Throws UNAVAILABLE when it cannot be reached. `warn` receives what no caller waits
 * for, as the loss of an idle connection.
 */
export async function openPostgres(url: string, warn: (error: Error) => void): Promise<Db> {
  const clock = databaseClock()
  const pool = createPool({ url, max: connections, onClock: clock.set, warn })
  const alone = createPool({ url, max: connectionsAlone, onClock: clock.set, warn })
  // No number is given to anybody before a later commit is on the disk, and the log with it.
  const settings = { synchronous_commit: 'off' }
  const aside = createPool({ url, max: 1, settings, onClock: clock.set, warn })
  const query = sharedStatements(pool)
  const base = { dialect, now: clock.now, apart: { query: sharedStatements(aside) } }
  const transact = createTransactions(pool, alone, base)
  const watcher = createWatcher({ url, query, warn })
  const underWay = new Set<Promise<unknown>>()
  let closed = false
  const close = () => Promise.all([pool.close(), alone.close(), aside.close()])
  await readClock(pool, clock).catch(async (error) => {
    await close()
    throw error
  })
  const reading = setInterval(() => readClock(pool, clock).catch(warn), clockEveryMs).unref()
  return {
    ...base,
    fault: () => undefined,
    query,
    tx<T>(work: (tx: Tx) => Promise<T>, subject?: string) {
      if (closed) return Promise.reject(stopping())
      const running = transact(work, subject)
      underWay.add(running)
      running.then(watcher.committed, () => {})
      return running.finally(() => underWay.delete(running))
    },
    watch: watcher.watch,
    changeSchema: (work, onWait) => changeSchema(() => connect(url, warn), base, work, onWait),
    async close() {
      if (closed) return
      closed = true
      clearInterval(reading)
      watcher.close()
      await Promise.race([Promise.allSettled(underWay), sleep(endMs, undefined, { ref: false })])
      await close()
    },
  }
}

/** The clock of the database, by which servers with different ones agree: read now and then, and carried on in between. */
function databaseClock() {
  let offset = performance.timeOrigin
  return {
    now: createClock({ wall: () => offset + performance.now() }),
    set(measured: number | undefined) {
      offset = measured ?? offset
    },
  }
}

async function readClock(pool: Pool, clock: ReturnType<typeof databaseClock>) {
  const client = await pool.take()
  try {
    clock.set(await settle(client))
  } finally {
    pool.give(client)
  }
}

/** A connection of its own, without the time limits of requests. */
async function connect(url: string, warn: (error: Error) => void): Promise<pg.Client> {
  const { query_timeout: _, pipeline: __, ...rest } = config(url)
  const client = new pg.Client({ ...rest, application_name: 'conduct upgrade' })
  client.on('error', warn)
  await client.connect()
  return client
}
