import { retentionActor } from '../ledger/actor.ts'
import type { Ctx } from '../store/ctx.ts'
import type { Db } from '../store/engine/db.ts'
import { emptyNext, newPlace } from '../store/project/empty.ts'
import { forgetMore, readRules } from '../store/retention/forget.ts'
import { newPass, type Pass } from '../store/retention/pass.ts'
import type { Job } from './scheduler.ts'

const hourMs = 3_600_000

/** Applies the retention of all projects once an hour, from a minute after the start. */
export function retentionJob(db: Db, now: () => string): Job {
  let pass: Pass | undefined
  let nextAt = Number.NEGATIVE_INFINITY

  return {
    name: 'retention',
    everyMs: 60_000,
    isExclusive: true,
    async step(ms) {
      if (!pass && Date.parse(now()) < nextAt) return false
      pass ??= newPass()
      const ctx: Ctx = {
        ...{ db, now: now(), actor: retentionActor, named: true, contentLimit: 0 },
        project: { id: 0, slug: '' },
      }
      const rules = await readRules(db)
      if (await forgetMore(ctx, rules, pass, { dryRun: false, until: performance.now() + ms })) return true
      pass = undefined
      nextAt = Date.parse(ctx.now) + hourMs
      return false
    },
  }
}

/** Removes what was in projects that were deleted. */
export function emptyJob(db: Db, now: () => string): Job {
  const place = newPlace()
  return { name: 'empty', everyMs: 1_000, step: () => emptyNext(db, now(), place) }
}
