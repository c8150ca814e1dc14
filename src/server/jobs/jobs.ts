import { indexMore } from '../../find/follow.ts'
import { purgeKept } from '../../frame/idempotency.ts'
import { numberEvents, tidyNumbered } from '../../log/number.ts'
import { purgeSessions } from '../../nouns/key/session.ts'
import { wakeAttention } from '../../nouns/run/attention/update.ts'
import { backfillNext } from '../../nouns/run/backfill.ts'
import { rejudgeNext } from '../../nouns/run/check/rejudge.ts'
import { reap } from '../../nouns/run/take-lease.ts'
import { purgeSecrets } from '../../nouns/webhook/due.ts'
import { keepLeap, type Store } from '../../operations/open.ts'
import { dueHookSessions, purgeHookSessions } from '../hooks/session.ts'
import { createSender, type SenderOptions } from '../webhook/send.ts'
import { type BackupJobOptions, backupJob } from './backup.ts'
import { createDeliverer } from './deliver.ts'
import { emptyJob, retentionJob } from './retention.ts'
import { type Job, type Jobs, startJobs } from './scheduler.ts'
import { type AnchorOptions, anchorsOf, sealJob } from './seal.ts'

export interface JobOptions extends AnchorOptions {
  webhooks?: SenderOptions | undefined
  /** The address of the page, for links in messages of webhooks. */
  publicUrl?: string | undefined
  /** Days after which events are dropped from the log; 0 or undefined for never. */
  logDays?: number | undefined
  /** Where the server writes its backups; undefined if it makes none. */
  backups?: BackupJobOptions | undefined
}

/** Starts the background jobs of a server. A process that opens the ledger for one command starts none. */
export function startServerJobs(store: Store, warn: (error: Error) => void, options: JobOptions = {}): Jobs {
  const { db, now } = store
  const sender = createSender(options.webhooks)
  const deliver = {
    name: 'deliver',
    everyMs: 500,
    ...createDeliverer(store, { send: sender, warn, publicUrl: options.publicUrl }),
  }
  const seal = sealJob(db, now, anchorsOf(options, sender, now))
  const own = [seal, hookJob(store), retentionJob(store, options), emptyJob(db, now)]
  const jobs = [...jobsOf(store, warn), deliver, ...own]
  if (options.backups) jobs.push(backupJob(options.backups, store, warn))
  return startJobs(db, jobs, now, warn)
}

/** Numbers events that no reader has numbered yet. */
async function number(db: Store['db']): Promise<boolean> {
  await numberEvents(db)
  await tidyNumbered(db)
  return false
}

function* jobsOf(store: Store, warn: (error: Error) => void): Generator<Job> {
  const { db, now, doubt, isSteady } = store
  yield clockJob(store, warn)
  // A clock that is wrong for a moment must not end every live run.
  yield { name: 'reap', everyMs: 1_000, step: async () => isSteady() && reap(db, now()) }
  yield { name: 'attention', everyMs: 1_000, step: async () => isSteady() && wakeAttention(db, now()) }
  if (!db.dialect.commitsInOrder) {
    yield { name: 'number', everyMs: 1_000, step: () => number(db) }
  }
  // Searches also read text that is not indexed yet, so the index may lag. A fast-growing text is thus indexed seldom,
  // although each time its last passage is indexed again.
  yield { name: 'index', everyMs: 5_000, step: (ms) => indexMore(db, ms) }
  yield { name: 'rejudge', everyMs: 60_000, isExclusive: true, step: () => rejudgeNext(db, now()) }
  yield { name: 'backfill', everyMs: 60_000, isExclusive: true, step: () => backfillNext(db) }
  if (db.dialect.commitsInOrder) {
    yield { name: 'give back', everyMs: 60_000, isExclusive: true, step: () => db.giveBack() }
  }
  yield {
    name: 'purge',
    everyMs: 60_000,
    isExclusive: true,
    async step() {
      if (doubt() !== undefined) return false
      await purgeSecrets(db, now())
      return (
        await Promise.all([purgeKept(db, now()), purgeSessions(db, now()), purgeHookSessions(db, now())])
      ).includes(true)
    },
  }
}

/** Warns once each time when the clock of the ledger begins to doubt, and tells others of a leap. */
function clockJob({ db, doubt, leap }: Store, warn: (error: Error) => void): Job {
  let isDoubted = false
  /** The words of the leap that others know of; null until that is known. */
  let told: string | null | undefined = null
  return {
    name: 'clock',
    everyMs: 1_000,
    async step() {
      const words = doubt()
      if (words !== undefined && !isDoubted) warn(new Error(words))
      isDoubted = words !== undefined
      const seen = leap()
      if (seen?.words !== told) await keepLeap(db, seen)
      told = seen?.words
      return false
    },
  }
}

/** Shows the waits and ends the turns of silent sessions whose hooks are sent to the server. */
export function hookJob({ db, now, isSteady }: Pick<Store, 'db' | 'now' | 'isSteady'>): Job {
  return {
    name: 'hooks',
    everyMs: 500,
    async step() {
      // A clock that is wrong for a moment must not end every turn.
      if (!isSteady()) return false
      const [due] = await dueHookSessions(db, now())
      if (!due) return false
      // Loaded on first use, since most servers take no hooks.
      const { attend } = await import('../hooks/record.ts')
      await attend(due)
      return true
    },
  }
}
