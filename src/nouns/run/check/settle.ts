import type { Ctx } from '../../../frame/ctx.ts'
import { differences } from '../../../log/event.ts'
import { moveTotals } from '../../spec/totals.ts'
import { keepAttention } from '../attention/keep.ts'
import { type RunRow, recordRun } from '../row.ts'
import { verdictIn, writeRun } from '../save.ts'
import { findVerdict } from './verdict.ts'

/** Updates the verdict of a run from its checks, with an event if it changes. */
export async function settle(ctx: Ctx, run: RunRow): Promise<void> {
  const saved = await writeRun(ctx, run, { ...(await findVerdict(ctx, run)) })
  const moved = differences(verdictIn(run), verdictIn(saved))
  if (Object.keys(moved).length === 0) return
  await moveTotals(ctx, run, saved)
  await recordRun(ctx, 'updated', run, moved)
  await keepAttention(ctx, run, saved)
}
