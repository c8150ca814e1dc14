import { retentionActor } from '../../contract/actor.ts'
import type { Db } from '../../engine/db.ts'
import { type Ctx, systemCtx } from '../../frame/ctx.ts'
import { dropNext, planDrop } from '../../log/horizon.ts'
import type { Store } from '../../operations/open.ts'
import { emptyNext, newPlace } from '../../removal/empty-project.ts'
import { forgetMore, readRules } from '../../removal/retention/forget.ts'
import { newPass, type RetentionPass } from '../../removal/retention/pass.ts'
import type { Job } from './scheduler.ts'

const hourMs = 3_600_000

/** A ledger and its clock. */
type Clocked = Pick<Store, 'db' | 'now' | 'doubt'>

/** The two parts of a round, in this order. */
interface Round {
  runs: RetentionPass | undefined
  /** The first event to keep; undefined until it is known. */
  kept: number | undefined
}

/**
 * Applies the retention of all projects once an hour, starting a minute after the server. Then drops events that are
 * older than `logDays`. Waits while the time may be wrong.
 */
export function retentionJob({ db, now, doubt }: Clocked, { logDays = 0 }: { logDays?: number | undefined } = {}): Job {
  let round: Round | undefined
  let doneAt = Number.NEGATIVE_INFINITY

  async function stepIn(round: Round, ctx: Ctx, ms: number): Promise<boolean> {
    const until = performance.now() + ms
    if (round.runs && (await forgetMore(ctx, await readRules(db), round.runs, { dryRun: false, until }))) return true
    round.runs = undefined
    if (logDays === 0) return false
    round.kept ??= await planDrop(ctx, logDays)
    return round.kept !== undefined && dropNext(db, round.kept)
  }

  return {
    name: 'retention',
    everyMs: 60_000,
    isExclusive: true,
    async step(ms) {
      const ctx = systemCtx(db, now(), 0, retentionActor)
      if (doubt() !== undefined) return false
      // In either direction: the clock may have been ahead then.
      if (!round && Math.abs(Date.parse(ctx.now) - doneAt) < hourMs) return false
      round ??= { runs: newPass(), kept: undefined }
      if (await stepIn(round, ctx, ms)) return true
      round = undefined
      doneAt = Date.parse(ctx.now)
      return false
    },
  }
}

/** Removes the contents of deleted projects. */
export function emptyJob(db: Db, now: () => string): Job {
  const place = newPlace()
  return { name: 'empty', everyMs: 1_000, step: () => emptyNext(db, now(), place) }
}
