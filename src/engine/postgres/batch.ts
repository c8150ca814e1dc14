import type pg from 'pg'
import type { Sql } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import type { ReadOnly, Tx } from '../db.ts'
import { type Base, type QueuedTransaction, runWork, workOf } from '../transaction.ts'
import { beginOf, beginReads, isDirect } from './connect.ts'
import { isConflict, isInTheWay, isOutage } from './errors.ts'
import type { Pool } from './pool.ts'
import { run, send } from './statements.ts'

/** The most works that share a commit. */
const batchSize = 64
/** If a batch waits for longer than this, its works run alone, where they block no others. */
const patience = { lock_timeout: 250, statement_timeout: 2_000 }
/** How many times a work is retried after a deadlock or a serialization failure. */
const attempts = 5

interface SubjectWork extends QueuedTransaction {
  subject: string
}

/** Runs works in transactions: works with a subject in shared ones on `pool`, the others alone on `alone`. */
export function createTransactions(pool: Pool, alone: Pool, base: Base) {
  const queue: SubjectWork[] = []
  let isFlushing = false

  async function flush() {
    while (queue.length > 0) await runTogether(pool, alone, base, queue.splice(0, batchSize))
    isFlushing = false
  }

  return <T>(work: (tx: Tx) => Promise<T>, subject?: string): Promise<T> => {
    if (subject === undefined) return runAlone(alone, base, work)
    return new Promise<T>((resolve, reject) => {
      queue.push({ subject, ...workOf(work, resolve, reject) })
      if (isFlushing) return
      isFlushing = true
      setImmediate(() => void flush())
    })
  }
}

/**
 * Behind a pooler, nothing runs outside a transaction: it would wait for a connection, while the works that hold the
 * connections wait for it.
 */
const baseOn = (client: pg.ClientBase, { apart, ...base }: Base): Base =>
  isDirect(client) && apart ? { ...base, apart } : base

/** Runs a work in its own transaction, again after each conflict, which leaves nothing of it. */
async function runAlone<T>(pool: Pool, base: Base, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await transact(pool, {}, (client) =>
        runWork(baseOn(client, base), <Row extends object>(statement: Sql) => run<Row>(client, statement), work),
      )
    } catch (error) {
      if (attempt === attempts || !(error instanceof ConductError && isConflict(error.cause))) throw error
    }
  }
}

/**
 * Runs works in one transaction, on the assumption that none fails, and resolves them after the commit. If one fails
 * after it has written, the transaction is rolled back and each work runs alone.
 */
async function runTogether(pool: Pool, alone: Pool, base: Base, works: SubjectWork[]): Promise<void> {
  let answers: (() => void)[] | undefined
  try {
    await transact(pool, patience, async (client) => {
      answers = await runSideBySide(client, base, works)
    })
    for (const answer of answers ?? []) answer()
  } catch (error) {
    // Without a response, nobody knows whether the commit took place. Running the works again might do them twice.
    const isOver = answers !== undefined || isOutage(error)
    for (const work of works) {
      if (isOver || (works.length === 1 && !isInTheWay(error))) work.reject(error)
      else void runAlone(alone, base, work.run).then((acknowledge) => acknowledge(), work.reject)
    }
  }
}

/**
 * Runs works of different subjects concurrently, so that their statements travel together, and works of one subject one
 * after another. Returns what to resolve after the commit. If something prevents a commit, throws it once no work runs
 * any more.
 */
async function runSideBySide(client: pg.ClientBase, base: Base, works: SubjectWork[]): Promise<(() => void)[]> {
  const answers: (() => void)[] = []
  // One base for all: two works of one transaction must not wait outside it for each other's locks.
  const own = baseOn(client, base)
  let failure: { error: unknown } | undefined

  async function runOne(work: SubjectWork) {
    if (failure) return
    let hasWritten = false
    try {
      const statements = <Row extends object>(statement: Sql) => {
        hasWritten ||= !isSelect(statement)
        return run<Row>(client, statement).catch((error) => {
          // It has ended the transaction of all works.
          failure ??= { error }
          throw error
        })
      }
      answers.push(await runWork(own, statements, work.run))
    } catch (error) {
      if (hasWritten) failure ??= { error }
      answers.push(() => work.reject(error))
    }
  }

  const last = new Map<string, Promise<void>>()
  // Transactions of all servers take their locks in this order.
  for (const work of works.sort(bySubject)) {
    const before = last.get(work.subject)
    last.set(work.subject, before ? before.then(() => runOne(work)) : runOne(work))
  }
  await Promise.all(last.values())
  if (failure) throw failure.error
  return answers
}

const bySubject = (a: SubjectWork, b: SubjectWork) => (a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0)
const isSelect = ({ strings }: Sql) => /^\s*select\b/i.test(strings[0] ?? '')

/**
 * Runs `body` in a transaction with its own limits, and commits. Throws the error that made it roll back, or the error
 * of the commit.
 */
async function transact<T>(
  pool: Pool,
  limits: Record<string, number>,
  body: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  const client = await pool.take()
  let failure: unknown
  let broken = false
  try {
    // Not awaited: it travels with the first statement. If it fails, everything after it fails, too.
    const begun = send(client, beginOf(client, limits))
    begun.catch(() => {})
    const value = await body(client)
    await begun
    const { command } = await send(client, 'commit')
    // If an earlier error has ended the transaction, PostgreSQL responds like this instead of with an error.
    if (command !== 'COMMIT') throw new Error(`The commit was answered with ${command}.`)
    return value
  } catch (error) {
    failure = error
    await send(client, 'rollback').catch(() => {
      broken = true
    })
    throw error
  } finally {
    pool.give(client, failure, broken)
  }
}

/** The most statements per connection in one tick: behind a slow one, the others wait. */
const sharedBy = 16

interface SharedRead {
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
  let reading: SharedRead | undefined

  function begin(): SharedRead {
    const fresh: SharedRead = { client: pool.take(), asked: 0, holders: 1 }
    fresh.client.catch(() => {})
    setImmediate(() => {
      if (reading === fresh) reading = undefined
      void leave(fresh)
    })
    return fresh
  }

  async function leave(one: SharedRead) {
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
export async function atOneMoment<T>(pool: Pool, reads: (moment: ReadOnly) => Promise<T>): Promise<T> {
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
