import { setImmediate as turn } from 'node:timers/promises'
import { indexMore } from '../find/follow.ts'
import { purgeKept } from '../frame/idempotency.ts'
import { sealIfStale } from '../log/seal/read.ts'
import { rejudgeNext } from '../nouns/run/check/rejudge.ts'
import { emptyNext, newPlace } from '../removal/empty-project.ts'
import type { Store } from './open.ts'

/** How long a command spends on indexing after a write, in milliseconds. */
const indexMs = 10
/** How long a command goes on removing what was in projects that were deleted, and giving back its space. */
const emptyMs = 2_000

/**
 * Maintenance by a command before it closes the ledger, in case no server ever runs: indexes a little for the next
 * search, seals the log once a minute, deletes some expired responses, empties deleted projects, derives verdicts of an earlier
 * version again, and gives back space.
 */
export async function tidy({ db, now, doubt }: Store): Promise<void> {
  await indexMore(db, indexMs)
  await sealIfStale(db, now())
  if (doubt() === undefined) await purgeKept(db, now())
  const place = newPlace()
  const end = performance.now() + emptyMs
  while (performance.now() < end && (await emptyNext(db, now(), place))) await turn()
  while (performance.now() < end && (await rejudgeNext(db, now()))) await turn()
  while (performance.now() < end && (await db.giveBack())) await turn()
}
