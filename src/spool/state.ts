import { type Acts, actsIn } from './acts.ts'
import { type Beats, beatsIn } from './beats.ts'
import { type Calls, callsIn } from './calls.ts'
import { openDatabase } from './database.ts'
import { type Lost, lostIn } from './lost.ts'
import { type Notes, notesIn } from './notes.ts'
import { type Recordings, recordingsIn } from './recordings.ts'

/** What must outlive a process: recordings, what was noted of them, and the calls that their server has not acknowledged. */
export interface State extends Recordings, Calls, Notes, Lost, Acts, Beats {
  close(): void
}

/**
 * Opens the state in that file, made where it is missing. Several processes may have it open; a busy one is waited for.
 * Of the file `:memory:` nothing outlives the process. Throws an Error where a newer program has written the file.
 */
export function openState(file: string): State {
  const db = openDatabase(file)
  return {
    ...recordingsIn(db),
    ...callsIn(db),
    ...notesIn(db),
    ...lostIn(db),
    ...actsIn(db),
    ...beatsIn(db),
    close: db.close,
  }
}
