import type { Store } from '../../operations/open.ts'
import { dueHookSessions } from '../hooks/session.ts'
import type { Job } from './scheduler.ts'

/** Ends the turns of silent sessions whose hooks are sent to the server. */
export function hookJob({ db, now, isSteady }: Pick<Store, 'db' | 'now' | 'isSteady'>): Job {
  return {
    name: 'hooks',
    everyMs: 1_000,
    async step() {
      // A clock that is wrong for a moment must not end every turn.
      if (!isSteady()) return false
      const [due] = await dueHookSessions(db, now())
      if (!due) return false
      // Loaded on first use, since most servers take no hooks.
      const { endSilent } = await import('../hooks/record.ts')
      await endSilent(due)
      return true
    },
  }
}
