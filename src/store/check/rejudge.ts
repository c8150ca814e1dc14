import sql from 'sql-template-tag'
import { differences } from '../../ledger/event.ts'
import { systemCtx } from '../ctx.ts'
import type { Db, Tx } from '../engine/db.ts'
import { columns, type RunRow, recordRun, rejudgedByUpgrade } from '../run/row.ts'
import { writeRun } from '../run/save.ts'
import { moveTotals } from '../spec/totals.ts'
import { findVerdict } from './verdict.ts'

/** How many runs one step derives, each in its own transaction. */
const atOnce = 20

/**
 * Derives the verdicts of the next few runs of an earlier version again. It continues wherever an earlier call stopped, and
 * any server may call it. Returns whether there may be more.
 */
export async function rejudgeNext(db: Db, now: string): Promise<boolean> {
  const runs = await db.query<{ id: number }>(sql`select id from runs where judged = 0 order by id limit ${atOnce}`)
  for (const { id } of runs) await db.tx((tx) => rejudge(tx, id, now))
  return runs.length === atOnce
}

async function rejudge(tx: Tx, id: number, now: string): Promise<void> {
  const [row] = await tx.query<RunRow>(sql`select ${columns} from runs where runs.id = ${id} ${tx.dialect.forUpdate}`)
  if (row?.judged !== 0) return
  const ctx = systemCtx(tx, now, row.project_id)
  const { verdict, evidence, why, ...more } = await findVerdict(ctx, row)
  const moved = differences({ verdict: row.verdict, evidence: row.evidence, why: row.why }, { verdict, evidence, why })
  const isMoved = moved.verdict !== undefined || moved.evidence !== undefined
  const saved = await writeRun(ctx, row, { verdict, evidence, why, ...more, judged: isMoved ? rejudgedByUpgrade : 1 })
  if (!isMoved) return
  await moveTotals(ctx, row, saved)
  await recordRun(ctx, 'rejudged', row, moved)
}
