import type { Db } from '../../engine/db.ts'
import { readNewest, signTree } from '../../log/seal/checkpoint.ts'
import { sealNext } from '../../log/seal/seal.ts'
import { type Anchor, giveToAll } from './anchor.ts'
import type { Job } from './scheduler.ts'

/** How long a stopping server continues to seal, in milliseconds. */
const sealedAtStopMs = 300

/** Seals the log once a minute if it has grown, and when the server stops. Passes each checkpoint to the anchors. */
export function sealJob(db: Db, now: () => string, anchors: Anchor[]): Job {
  async function finish(): Promise<void> {
    await signTree(db, now())
    if (anchors.length === 0) return
    const newest = await readNewest(db)
    if (newest) await giveToAll(anchors, newest)
  }

  return {
    name: 'seal',
    everyMs: 60_000,
    isExclusive: true,
    async step() {
      if (await sealNext(db)) return true
      await finish()
      return false
    },
    async stop() {
      const end = performance.now() + sealedAtStopMs
      while (await sealNext(db)) if (performance.now() > end) return
      await finish()
    },
  }
}
