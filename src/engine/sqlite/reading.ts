import sql, { type Sql } from 'sql-template-tag'
import type { Run } from './statements.ts'

/**
 * Reads of one tick of the event loop share a transaction, so that they lock the file only once. It ends before the
 * event loop hands over the next request, which may have been sent after a commit of another process: no response is
 * older than its request. `rollBack` ends a transaction when no statement may run.
 */
export function sharedReads(run: Run, rollBack: () => void) {
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
