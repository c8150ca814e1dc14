import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { isBusy } from '../busy.ts'
import type { Run } from './statements.ts'

/**
 * Begins a write transaction as soon as no other process has one. Waits until that time (of `performance.now()`)
 * without blocking the event loop, and calls `onWait` before each retry. Throws UNAVAILABLE after that time.
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
