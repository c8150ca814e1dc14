import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import type { Tx } from '../db.ts'
import { type Base, type QueuedTransaction, runWork, stopping, workOf } from '../transaction.ts'
import type { RunStatement } from './statements.ts'
import { begin } from './transactions.ts'

/** The most works that share a commit. */
const batchSize = 256
/** How long a batch waits for another process to release the file; the second one applies while the server stops. */
const busyMs = 10_000
const busyAtEndMs = 1_000

interface WriterOptions extends Connection {
  /** Called before each commit. */
  beforeCommit(): void
  /** Called after each commit. If it throws, the works of the batch are not acknowledged. */
  afterCommit(): void
}

/** Runs works that arrive together in one transaction, and acknowledges them after the commit. */
export class Writer {
  readonly #options: WriterOptions
  readonly #queue: QueuedTransaction[] = []
  #flushing: Promise<void> | undefined
  #deadline = Number.POSITIVE_INFINITY
  #isClosed = false

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** Resolves once no works wait or run; undefined if there are none. */
  get flushing(): Promise<void> | undefined {
    return this.#flushing
  }

  readonly tx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    if (this.#isClosed) return Promise.reject(stopping())
    return new Promise<T>((resolve, reject) => {
      this.#queue.push(workOf(work, resolve, reject))
      this.#flushing ??= this.#gather().then(() => this.#flush())
    })
  }

  /** Accepts no more works, and waits for those it has. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#deadline = performance.now() + busyAtEndMs
    await this.#flushing
  }

  /** Waits for a turn of the event loop, and for another one if the first brings more works. */
  async #gather(): Promise<void> {
    const before = this.#queue.length
    await turn()
    if (this.#queue.length > before) await turn()
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#flushBatch()
      if (this.#queue.length > 0) await turn()
    }
    this.#flushing = undefined
  }

  async #flushBatch(): Promise<void> {
    const batch: QueuedTransaction[] = []
    try {
      const until = performance.now() + busyMs
      await begin(this.#options.write, () => Math.min(until, this.#deadline))
      batch.push(...this.#queue.splice(0, batchSize))
      await this.#commit(batch)
    } catch (error) {
      this.#rollBack()
      // If not even `begin` succeeded, the error belongs to the works that waited for it.
      if (batch.length === 0) batch.push(...this.#queue.splice(0, batchSize))
      for (const work of batch) work.reject(error)
    }
  }

  async #commit(batch: QueuedTransaction[]): Promise<void> {
    const { beforeCommit, write, afterCommit } = this.#options
    const acknowledgements = await runBatch(this.#options, batch, (works) => this.#queue.unshift(...works))
    beforeCommit()
    write(sql`commit`)
    afterCommit()
    for (const acknowledge of acknowledgements) acknowledge()
  }

  /** Rolls back an open transaction. If that fails, the next `begin` reports why. */
  #rollBack(): void {
    const { db } = this.#options
    try {
      if (db.isTransaction) db.exec('rollback')
    } catch {}
  }
}

/** The connection for the transactions of a writer. */
interface Connection {
  db: DatabaseSync
  write: RunStatement
  base: Base
}

/** How long a batch begins more works, in milliseconds: nobody else is served meanwhile. */
const longestMs = 25

/**
 * Runs each work in a savepoint of the open transaction. Returns the acknowledgements to send after the commit. Moves
 * from `batch` to `requeue` the works that it has no time to begin. If the whole transaction is lost, it moves those that
 * have not run yet, and throws.
 */
async function runBatch(
  { db, write, base }: Connection,
  batch: QueuedTransaction[],
  requeue: (works: QueuedTransaction[]) => void,
): Promise<(() => void)[]> {
  const acknowledgements: (() => void)[] = []
  const until = performance.now() + longestMs
  for (const [index, work] of batch.entries()) {
    write(sql`savepoint work`)
    try {
      acknowledgements.push(await runWork(base, write, (tx) => withinTick(work.run(tx))))
    } catch (error) {
      if (!db.isTransaction) {
        // A full disk has ended the whole transaction. Another savepoint would commit on its own.
        requeue(batch.splice(index + 1))
        throw lossOf(error)
      }
      write(sql`rollback to work`)
      acknowledgements.push(() => work.reject(error))
    }
    write(sql`release work`)
    if (performance.now() > until) requeue(batch.splice(index + 1))
  }
  return acknowledgements
}

/** The error for the callers of a batch whose transaction is lost. */
function lossOf(error: unknown): unknown {
  if (error instanceof ConductError && error.status >= 500) return error
  return new ConductError('UNAVAILABLE', 'The transaction was lost: try again.', { cause: error, retryAfter: 1 })
}

/** Throws if `work` awaits anything besides its own statements: every other writer waits while it runs. */
async function withinTick<T>(work: Promise<T>): Promise<T> {
  let tick: NodeJS.Immediate | undefined
  const foreign = new Promise<never>((_, reject) => {
    tick = setImmediate(() => reject(new Error('Bug: a transaction awaited something other than its own statements.')))
  })
  try {
    return await Promise.race([work, foreign])
  } finally {
    clearImmediate(tick)
    work.catch(() => {})
  }
}
