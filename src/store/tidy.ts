import { purgeKept } from './idempotency.ts'
import type { Store } from './open.ts'
import { sealIfStale } from './seal/read.ts'
import { indexMore } from './search/follow.ts'

/** How long a command spends on indexing after a write, in milliseconds. */
const indexMs = 10

/**
 * Maintenance by a command before it closes the ledger, in case no server ever runs: indexes a little for the next
 * search, seals the log once a minute, and deletes some expired responses.
 */
export async function tidy({ db, now }: Store): Promise<void> {
  await indexMore(db, indexMs)
  await sealIfStale(db, now())
  await purgeKept(db, now())
}
