import sql, { type Sql } from 'sql-template-tag'
import type { Run } from './statements.ts'

/**
 * Reads of one tick of the event loop share a transaction, which spares each of them the locks on the file. It ends before
 * the event loop hands over the next request, which may have been sent after a commit of another process: no answer is
 * older than its question.
 */
export function sharedReads(run: Run) {
  let isOpen = false

  /** Ends the open transaction, if there is one. A read that fails has told its caller; the end of it has nobody to tell. */
  function end() {
    if (!isOpen) return
    isOpen = false
    for (const statement of [sql`commit`, sql`rollback`]) {
      try {
        run(statement)
        return
      } catch {}
    }
  }

  function read<Row extends object>(statement: Sql): Row[] {
    if (!isOpen) {
      run(sql`begin`)
      isOpen = true
      // Not a tick alone, which would come before the continuations of those who wait for this very read.
      queueMicrotask(() => process.nextTick(end))
    }
    return run(statement)
  }

  return { read, end }
}
