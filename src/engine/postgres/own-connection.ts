import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Sql } from 'sql-template-tag'
import type { DatabaseSnapshot, Tx } from '../db.ts'
import { type Base, runWork } from '../transaction.ts'
import { begin, beginReads } from './connect.ts'
import { dialect, lockKey } from './dialect.ts'
import { translate } from './errors.ts'

const lookEveryMs = 100
const beginLong = `${begin}; set local statement_timeout = 0; set local lock_timeout = 0;
  set local idle_in_transaction_session_timeout = 0`

/**
 * Runs `work` on its own connection while a second one holds the lock of the schema. The lock belongs to a transaction,
 * because a pooler in transaction mode allows no other, and it lasts for all transactions of the work.
 */
export async function changeSchema<T>(
  connect: () => Promise<pg.Client>,
  base: Base,
  work: (own: Tx) => Promise<T>,
  onWait: () => void,
): Promise<T> {
  const holder = await connect()
  try {
    await holder.query(beginLong)
    while (!(await tryLock(holder))) {
      onWait()
      await sleep(lookEveryMs)
    }
    const client = await connect()
    try {
      return await work(ownTx(client, base))
    } finally {
      await client.end()
    }
  } catch (error) {
    throw translate(error)
  } finally {
    await holder.end()
  }
}

async function tryLock(holder: pg.Client): Promise<boolean> {
  const { rows } = await holder.query(`select pg_try_advisory_xact_lock(${lockKey}) as taken`)
  return rows[0].taken
}

function ownTx(client: pg.Client, base: Base): Tx {
  const query = async <Row extends object>({ text, values }: Sql) => (await client.query<Row>(text, values)).rows
  return {
    ...base,
    query,
    moment: (reads) => reads({ query }),
    apart: { query },
    async tx(work) {
      await client.query(beginLong)
      try {
        const value = await runWork(base, query, work)
        await client.query('commit')
        return value
      } catch (error) {
        await client.query('rollback').catch(() => {})
        throw error
      }
    },
  }
}

/**
 * Vacuums every table of the ledger in turn, while others read and write. Then gathers statistics again, because they
 * contain common values.
 */
export async function scrub(connect: () => Promise<pg.Client>): Promise<void> {
  const client = await connect()
  try {
    await client.query('set statement_timeout = 0')
    const { rows } = await client.query<{ name: string }>(`select quote_ident(tablename) as name from pg_tables
      where schemaname = current_schema() order by tablename`)
    for (const { name } of rows) await client.query(`vacuum (analyze) ${name}`)
  } catch (error) {
    throw translate(error)
  } finally {
    await client.end()
  }
}

const beginSnapshot = `${beginReads}; set local statement_timeout = 0;
  set local idle_in_transaction_session_timeout = 0; select 1`

/** A snapshot of the current state on that connection, which closes with it. Meanwhile, vacuum keeps old rows. */
export async function openSnapshot(client: pg.Client): Promise<DatabaseSnapshot> {
  const rethrow = (error: unknown): never => {
    throw translate(error)
  }
  await client.query(beginSnapshot).catch(async (error) => {
    await client.end()
    rethrow(error)
  })
  return {
    dialect,
    query: async <Row extends object>({ text, values }: Sql) =>
      (await client.query<Row>(text, values).catch(rethrow)).rows as Row[],
    close: () => client.end(),
  }
}
