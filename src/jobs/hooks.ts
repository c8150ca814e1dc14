import { dueHookSessions } from '../hooks/session.ts'
import type { Db } from '../store/engine/db.ts'
import type { Job } from './scheduler.ts'

/** Ends the turns of silent sessions whose hooks are sent to the server. */
export function hookJob(db: Db, now: () => string): Job {
  return {
    name: 'hooks',
    everyMs: 1_000,
    async step() {
      const [due] = await dueHookSessions(db, now())
      if (!due) return false
      // Loaded on first use, since most servers take no hooks.
      const { endSilent } = await import('../hooks/record.ts')
      await endSilent(due)
      return true
    },
  }
}
