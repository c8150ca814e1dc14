import type pg from 'pg'
import type { Sql } from 'sql-template-tag'
import type { Moment } from '../db.ts'
import { beginReads } from './connect.ts'
import type { Pool } from './pool.ts'
import { run, send } from './statements.ts'

/** The most statements per connection in one tick: behind a slow one, the others wait. */
const sharedBy = 16

interface Reading {
  client: Promise<pg.PoolClient>
  asked: number
  /** How many users still hold it, including the tick itself. */
  holders: number
  error?: unknown
}

/**
 * Runs single statements. Those of one tick of the event loop share connections, so that each is woken once for many.
 */
export function sharedStatements(pool: Pool) {
  let reading: Reading | undefined

  function begin(): Reading {
    const fresh: Reading = { client: pool.take(), asked: 0, holders: 1 }
    fresh.client.catch(() => {})
    setImmediate(() => {
      if (reading === fresh) reading = undefined
      void leave(fresh)
    })
    return fresh
  }

  async function leave(one: Reading) {
    if (--one.holders > 0) return
    const client = await one.client.catch(() => undefined)
    if (client) pool.give(client, one.error)
  }

  return async <Row extends object>(statement: Sql): Promise<Row[]> => {
    if (!reading || reading.asked === sharedBy) reading = begin()
    const mine = reading
    mine.asked++
    mine.holders++
    try {
      return await run<Row>(await mine.client, statement)
    } catch (error) {
      mine.error ??= error
      throw error
    } finally {
      void leave(mine)
    }
  }
}

/** Runs reads in a transaction whose statements all have the same snapshot. A connection with an error is closed. */
export async function atOneMoment<T>(pool: Pool, reads: (moment: Moment) => Promise<T>): Promise<T> {
  const client = await pool.take()
  try {
    await send(client, beginReads)
    const value = await reads({ query: (statement) => run(client, statement) })
    await send(client, 'commit')
    pool.give(client)
    return value
  } catch (error) {
    pool.give(client, error, true)
    throw error
  }
}
