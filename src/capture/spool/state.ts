import { type Acts, actsIn } from './acts.ts'
import { type Beats, beatsIn } from './beats.ts'
import { type Calls, callsIn } from './calls.ts'
import { openDatabase } from './database.ts'
import { type Diffs, diffsIn } from './diffs.ts'
import { type Lost, lostIn } from './lost.ts'
import { type Notes, notesIn } from './notes.ts'
import { type Recordings, recordingsIn } from './recordings.ts'

/** What must outlive a process: recordings, their notes, and calls that their server has not acknowledged. */
export interface Spool extends Recordings, Calls, Notes, Lost, Acts, Beats, Diffs, Disposable {
  /** Whether it outlives the process. */
  isKept: boolean
  /** Does all of the work or, if it throws, none of it. */
  together<T>(work: () => T): T
  /** Removes what was deleted from the write-ahead log. Does nothing while another process uses it. */
  emptyLog(): void
  close(): void
}

/**
 * Opens the state in that file, which is created if needed. Several processes may have it open, and wait for each
 * other. With `:memory:`, nothing outlives the process. Throws an Error if a newer program has written the file.
 */
export function openState(file: string): Spool {
  const db = openDatabase(file)
  return {
    ...recordingsIn(db),
    ...callsIn(db),
    ...notesIn(db),
    ...lostIn(db),
    ...actsIn(db),
    ...beatsIn(db),
    ...diffsIn(db),
    isKept: file !== ':memory:',
    together: db.together,
    emptyLog: db.emptyLog,
    close: db.close,
    [Symbol.dispose]: db.close,
  }
}
