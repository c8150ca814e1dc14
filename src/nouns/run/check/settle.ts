import type { Ctx } from '../../../frame/ctx.ts'
import { differences } from '../../../log/event.ts'
import { moveTotals } from '../../spec/totals.ts'
import { keepAttention } from '../attention/keep.ts'
import { type RunRow, recordRun } from '../row.ts'
import { writeRun } from '../save.ts'
import { findVerdict } from './verdict.ts'

/** Updates the verdict of a run from its checks, with an event if it changes. */
export async function settle(ctx: Ctx, run: RunRow): Promise<void> {
  const { verdict, evidence, why, ...more } = await findVerdict(ctx, run)
  const before = { verdict: run.verdict, evidence: run.evidence, why: run.why }
  const moved = differences(before, { verdict, evidence, why })
  const saved = await writeRun(ctx, run, { verdict, evidence, why, ...more })
  if (Object.keys(moved).length === 0) return
  await moveTotals(ctx, run, saved)
  await recordRun(ctx, 'updated', run, moved)
  await keepAttention(ctx, run, saved)
}
