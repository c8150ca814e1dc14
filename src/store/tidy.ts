import { purgeKept } from './idempotency.ts'
import type { Store } from './open.ts'
import { sealIfStale } from './seal/read.ts'
import { indexMore } from './search/follow.ts'

/** How long a command that wrote something indexes it, in milliseconds. */
const indexMs = 10

/**
 * What a command does for the ledger before it lets go of it, where no server may ever do so: it indexes a little, so that
 * the next search need not, seals the log once a minute, and drops some answers that are no longer wanted.
 */
export async function tidy({ db, now }: Store): Promise<void> {
  await indexMore(db, indexMs)
  await sealIfStale(db, now())
  await purgeKept(db, now())
}
