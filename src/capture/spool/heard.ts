import { openDatabase } from './database.ts'

/** When an agent last called a hook on this machine. */
export interface Heard {
  /** Its name in commands: `claude`. */
  agent: string
  /** Milliseconds since 1970. */
  at: number
}

/** The agents that have called hooks within the last 30 days, newest first. Throws like `openDatabase`. */
export function readHeard(file: string): Heard[] {
  const db = openDatabase(file)
  try {
    // The name of a hook recording consists of the agent and the session.
    return db.rows<Heard>(
      `select substr(r.name, 1, instr(r.name, '-') - 1) as agent, max(n.at) as at
        from recordings r join notes n on n.name = r.name where r.kind = 'hook' group by 1 order by 2 desc`,
    )
  } finally {
    db.close()
  }
}
