import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { ConductError } from '../../../api/error.ts'
import type { Tx } from '../db.ts'
import { type Base, runWork, stopping } from '../transaction.ts'
import { isBusy, type Run } from './statements.ts'

/** Works that share one commit, at most. */
const batchSize = 256
/** How long a batch waits for another process to let go of the file, and how long while the server stops. */
const busyMs = 10_000
const busyAtEndMs = 1_000

interface Work {
  run(tx: Tx): Promise<unknown>
  resolve(value: unknown): void
  reject(error: unknown): void
}

export interface WriterOptions {
  db: DatabaseSync
  write: Run
  base: Base
  /** Is called before each commit. */
  beforeCommit(): void
  /** Is called after each commit; when it throws, the works of the batch are not acknowledged. */
  afterCommit(): void
}

/** Runs the works that come in one turn of the event loop in one transaction, and answers them once it is committed. */
export function createWriter({ db, write, base, beforeCommit, afterCommit }: WriterOptions) {
  const queue: Work[] = []
  let flushing: Promise<void> | undefined
  let deadline = Number.POSITIVE_INFINITY
  let closed = false

  async function flush() {
    while (queue.length > 0) {
      const batch: Work[] = []
      try {
        const until = performance.now() + busyMs
        await begin(write, () => Math.min(until, deadline))
        batch.push(...queue.splice(0, batchSize))
        await runBatch(batch)
      } catch (error) {
        giveUp()
        // When not even `begin` went through, the works that waited for it are the ones to tell.
        if (batch.length === 0) batch.push(...queue.splice(0, batchSize))
        for (const work of batch) work.reject(error)
      }
    }
    flushing = undefined
  }

  /** Rolls back what is open; where not even that works, the next `begin` tells. */
  function giveUp() {
    try {
      if (db.isTransaction) db.exec('rollback')
    } catch {}
  }

  /** Runs each work in its savepoint of the open transaction, commits, and only then answers. Throws what ended it all. */
  async function runBatch(batch: Work[]) {
    const answers: (() => void)[] = []
    for (const [index, work] of batch.entries()) {
      write(sql`savepoint work`)
      try {
        const value = await runWork(base, write, (tx) => withinTurn(work.run(tx)))
        answers.push(() => work.resolve(value))
      } catch (error) {
        if (!db.isTransaction) {
          // A full disk ended the transaction, not just the work; a further savepoint would commit alone.
          queue.unshift(...batch.splice(index + 1))
          throw isLoss(error)
            ? error
            : new ConductError('UNAVAILABLE', 'The transaction was lost: try again.', { cause: error, retryAfter: 1 })
        }
        write(sql`rollback to work`)
        answers.push(() => work.reject(error))
      }
      write(sql`release work`)
    }
    beforeCommit()
    write(sql`commit`)
    afterCommit()
    for (const answer of answers) answer()
  }

  return {
    /** Whether works wait or run. */
    get flushing() {
      return flushing
    },
    tx<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
      if (closed) return Promise.reject(stopping())
      return new Promise<T>((resolve, reject) => {
        queue.push({ run: work, resolve: resolve as Work['resolve'], reject })
        flushing ??= new Promise<void>((done) => setImmediate(done)).then(flush)
      })
    },
    /** Takes no more works, and waits for those that it has. */
    async close() {
      closed = true
      deadline = performance.now() + busyAtEndMs
      await flushing
    },
  }
}

const isLoss = (error: unknown) => error instanceof ConductError && error.status >= 500

/** Throws when `work` awaits more than statements of its own: while it runs, every other writer waits. */
async function withinTurn<T>(work: Promise<T>): Promise<T> {
  let turn: NodeJS.Immediate | undefined
  const foreign = new Promise<never>((_, reject) => {
    turn = setImmediate(() => reject(new Error('Bug: a transaction awaited something other than its own statements.')))
  })
  try {
    return await Promise.race([work, foreign])
  } finally {
    clearImmediate(turn)
    work.catch(() => {})
  }
}

/**
 * Begins a transaction for writing, once no other process has one, until that time (of `performance.now()`). The event loop
 * goes on meanwhile, and `onWait` is called again and again.
 */
export async function begin(write: Run, until: () => number, onWait = () => {}): Promise<void> {
  for (;;) {
    try {
      write(sql`begin immediate`)
      return
    } catch (error) {
      if (!(error instanceof ConductError && isBusy(error.cause)) || performance.now() > until()) throw error
      onWait()
      await sleep(5 + Math.random() * 20)
    }
  }
}
