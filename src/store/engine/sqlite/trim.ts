import { statSync } from 'node:fs'
import sql from 'sql-template-tag'
import { logBytes } from './connect.ts'
import type { Run } from './statements.ts'

const idleMs = 2_000

/**
 * Empties the log of a database that has grown large, once nobody has written for a moment. SQLite shortens it by itself
 * only while writes go on; what it holds has mostly been copied to the file by then, so this takes milliseconds.
 */
export function createTrimmer(log: string, write: Run) {
  const timer = setTimeout(trim, idleMs).unref()

  function trim() {
    try {
      if (statSync(log).size <= logBytes) return
      const [row] = write<{ busy: number }>(sql`pragma wal_checkpoint(truncate)`)
      // Another process reads what is in it.
      if (row?.busy) timer.refresh()
    } catch {
      // What ails the file, the next write tells.
    }
  }

  return {
    /** Begins to wait anew. */
    written: () => timer.refresh(),
    close: () => clearTimeout(timer),
  }
}
