import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sql } from 'sql-template-tag'
import sql from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { isBusy } from '../busy.ts'
import type { Tx } from '../db.ts'
import { type Base, runWork } from '../transaction.ts'
import { type RunStatement, statements } from './statements.ts'

/**
 * Begins a write transaction as soon as no other process has one. Waits until that time (of `performance.now()`)
 * without blocking the event loop, and calls `onWait` before each retry. Throws UNAVAILABLE after that time.
 */
export async function begin(write: RunStatement, until: () => number, onWait = () => {}): Promise<void> {
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

/** How long a migration waits for that of another process. */
const upgradeMs = 3600_000

/** A handle on a connection that has no other user, and waits as long as the migrations of other processes may take. */
export function ownTx(db: DatabaseSync, base: Base, onWait: () => void): Tx {
  const write = statements(db)
  const own: Tx = {
    ...base,
    get apart() {
      return own
    },
    query: (statement) => own.tx((tx) => tx.query(statement)),
    moment: (reads) => reads(own),
    async tx(work) {
      const until = performance.now() + upgradeMs
      await begin(write, () => until, onWait)
      try {
        const value = await runWork(base, write, work)
        write(sql`commit`)
        return value
      } catch (error) {
        if (db.isTransaction) db.exec('rollback')
        throw error
      }
    },
  }
  return own
}

/**
 * Reads of one tick of the event loop share a transaction, so that they lock the file only once. It ends before the
 * event loop hands over the next request, which may have been sent after a commit of another process: no response is
 * older than its request. `rollBack` ends a transaction when no statement may run.
 */
export function sharedReads(run: RunStatement, rollBack: () => void) {
  let isOpen = false

  /**
   * Ends the open transaction, if there is one. A failed read has told its caller; errors of the end concern nobody.
   */
  function end() {
    if (!isOpen) return
    isOpen = false
    for (const close of [() => run(sql`commit`), rollBack]) {
      try {
        close()
        return
      } catch {}
    }
  }

  function read<Row extends object>(statement: Sql): Row[] {
    if (!isOpen) {
      run(sql`begin`)
      isOpen = true
      // A tick alone would be too early: the continuations that wait for this very read come first.
      queueMicrotask(() => process.nextTick(end))
    }
    return run(statement)
  }

  return { read, end }
}
