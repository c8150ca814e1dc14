import { statSync } from 'node:fs'
import sql from 'sql-template-tag'
import { logBytes } from './connect.ts'
import type { Run } from './statements.ts'

const idleMs = 2_000

/**
 * Truncates a large log once nobody has written for a moment. SQLite itself truncates it only during writes. By then
 * most of the log is already in the file, so this takes milliseconds.
 */
export function createTrimmer(log: string, write: Run) {
  const timer = setTimeout(trim, idleMs).unref()

  function trim() {
    try {
      if (statSync(log).size <= logBytes) return
      const [row] = write<{ busy: number }>(sql`pragma wal_checkpoint(truncate)`)
      // Another process still reads the log.
      if (row?.busy) timer.refresh()
    } catch {
      // The next write reports a fault of the file.
    }
  }

  return {
    /** Restarts the wait. */
    written: () => timer.refresh(),
    close: () => clearTimeout(timer),
  }
}
