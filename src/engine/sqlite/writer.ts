import { setImmediate as turn } from 'node:timers/promises'
import sql from 'sql-template-tag'
import type { Tx } from '../db.ts'
import { stopping, type Work, workOf } from '../transaction.ts'
import { type Connection, runBatch } from './batch.ts'
import { begin } from './begin.ts'

/** The most works that share a commit. */
const batchSize = 256
/** How long a batch waits for another process to release the file; the second one applies while the server stops. */
const busyMs = 10_000
const busyAtEndMs = 1_000

export interface WriterOptions extends Connection {
  /** Called before each commit. */
  beforeCommit(): void
  /** Called after each commit. If it throws, the works of the batch are not acknowledged. */
  afterCommit(): void
}

/** Runs works that arrive together in one transaction, and acknowledges them after the commit. */
export class Writer {
  readonly #options: WriterOptions
  readonly #queue: Work[] = []
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
    const batch: Work[] = []
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

  async #commit(batch: Work[]): Promise<void> {
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
