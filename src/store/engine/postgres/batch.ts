import type pg from 'pg'
import type { Sql } from 'sql-template-tag'
import { ConductError } from '../../../api/error.ts'
import type { Tx } from '../db.ts'
import { type Base, runWork, type Work, workOf } from '../transaction.ts'
import { beginOf, isDirect } from './connect.ts'
import { isConflict, isInTheWay, isOutage } from './errors.ts'
import type { Pool } from './pool.ts'
import { run, send } from './statements.ts'

/** Works that share one commit, at most. */
const batchSize = 64
/** What holds a batch up for longer has each of its works run alone, where it holds up no other. */
const patience = { lock_timeout: 250, statement_timeout: 2_000 }
/** How often a work is run again after the engine gave it up for a deadlock or a serialization failure. */
const attempts = 5

interface SubjectWork extends Work {
  subject: string
}

/** Runs works in transactions: those that name a subject in common ones on `pool`, the others each alone on `alone`. */
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
 * Behind a pooler nothing goes past a transaction: it would wait there for a connection, while those that could be had wait
 * for it.
 */
const baseOn = (client: pg.ClientBase, { apart, ...base }: Base): Base =>
  isDirect(client) && apart ? { ...base, apart } : base

/** Runs a work in a transaction of its own, until the engine takes it: after a conflict nothing of it is left. */
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
 * Runs works in one transaction, as if none would fail, and answers them once it is committed. When one fails after it
 * has written, nothing is done, and each is run again alone.
 */
async function runTogether(pool: Pool, alone: Pool, base: Base, works: SubjectWork[]): Promise<void> {
  let answers: (() => void)[] | undefined
  try {
    await transact(pool, patience, async (client) => {
      answers = await runSideBySide(client, base, works)
    })
    for (const answer of answers ?? []) answer()
  } catch (error) {
    // Whether a commit that was not answered took place, nobody knows: to run its works again might do them twice.
    const isOver = answers !== undefined || isOutage(error)
    for (const work of works) {
      if (isOver || (works.length === 1 && !isInTheWay(error))) work.reject(error)
      else void runAlone(alone, base, work.run).then((acknowledge) => acknowledge(), work.reject)
    }
  }
}

/**
 * Runs works of different subjects side by side, so that their statements travel together; those of one subject one after
 * the other. Gives what is to be answered after the commit. Throws what makes a commit impossible, once no work runs any more.
 */
async function runSideBySide(client: pg.ClientBase, base: Base, works: SubjectWork[]): Promise<(() => void)[]> {
  const answers: (() => void)[] = []
  // One for all: of two works of one transaction, one must not wait apart for what the other has locked.
  const own = baseOn(client, base)
  let failure: { error: unknown } | undefined

  async function runOne(work: SubjectWork) {
    if (failure) return
    let hasWritten = false
    try {
      const statements = <Row extends object>(statement: Sql) => {
        hasWritten ||= !isSelect(statement)
        return run<Row>(client, statement).catch((error) => {
          // It has ended the transaction of all.
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
  // The transactions of all servers take their locks in this order.
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

/** Runs `body` in a transaction, with limits of its own, and commits. Throws what has it rolled back, or what the commit throws. */
async function transact<T>(
  pool: Pool,
  limits: Record<string, number>,
  body: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  const client = await pool.take()
  let failure: unknown
  let broken = false
  try {
    // Not awaited: it travels with the first statement. When it fails, so does all that follows.
    const begun = send(client, beginOf(client, limits))
    begun.catch(() => {})
    const value = await body(client)
    await begun
    const { command } = await send(client, 'commit')
    // PostgreSQL answers so, without an error, where an earlier error had ended the transaction.
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
