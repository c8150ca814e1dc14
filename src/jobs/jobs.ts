import { purgeKept } from '../store/idempotency.ts'
import { purgeSessions } from '../store/key/session.ts'
import { numberEvents, tidyNumbered } from '../store/log/number.ts'
import type { Store } from '../store/open.ts'
import { reap } from '../store/run/reap.ts'
import { indexMore } from '../store/search/follow.ts'
import { type Job, type Jobs, startJobs } from './scheduler.ts'

/** Starts what a server does beside its requests. Whoever opens a ledger for one command starts none of it. */
export function startServerJobs({ db, now }: Store, warn: (error: Error) => void): Jobs {
  return startJobs(db, [...jobsOf(db, now)], now, warn)
}

/** Numbers the events that nobody has read yet. */
async function number(db: Store['db']): Promise<boolean> {
  await numberEvents(db)
  await tidyNumbered(db)
  return false
}

function* jobsOf(db: Store['db'], now: Store['now']): Generator<Job> {
  yield { name: 'reap', everyMs: 1_000, step: () => reap(db, now()) }
  if (!db.dialect.commitsInOrder) {
    yield { name: 'number', everyMs: 1_000, step: () => number(db) }
  }
  // Searches read what is not indexed yet. So a text that grows by many lines a second is indexed seldom: each time its last passage is indexed anew.
  yield { name: 'index', everyMs: 5_000, step: (ms) => indexMore(db, ms) }
  yield {
    name: 'purge',
    everyMs: 60_000,
    isExclusive: true,
    step: async () => (await Promise.all([purgeKept(db, now()), purgeSessions(db, now())])).includes(true),
  }
}
