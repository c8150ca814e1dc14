import { openDatabase } from './database.ts'

/** When the hooks of an agent were last heard on this machine. */
export interface Heard {
  /** Its name in commands: `claude`. */
  agent: string
  /** Milliseconds since 1970. */
  at: number
}

/** The agents whose hooks were heard within the 30 days that notes are kept, newest first. Throws as `openDatabase` does. */
export function readHeard(file: string): Heard[] {
  const db = openDatabase(file)
  try {
    // A recording of hooks is named by its agent and the session.
    return db.rows<Heard>(
      `select substr(r.name, 1, instr(r.name, '-') - 1) as agent, max(n.at) as at
        from recordings r join notes n on n.name = r.name where r.kind = 'hook' group by 1 order by 2 desc`,
    )
  } finally {
    db.close()
  }
}
