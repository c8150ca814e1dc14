import sql from 'sql-template-tag'
import { invalid } from '../../../contract/error.ts'
import type { Tx } from '../../../engine/db.ts'
import { askerIn, type Ctx, inTx, type Operation, systemCtx } from '../../../frame/ctx.ts'
import { listOf } from '../../../frame/pieces.ts'
import { noteTexts } from '../late-texts.ts'
import { personHash, requirePerson } from '../person.ts'
import { noRun } from '../row.ts'
import { change } from './keep.ts'
import type { AttentionRoutes } from './routes.ts'
import { type AttentionColumns, type AttentionRow, columns, type ShownRow, shownColumns, shownRows } from './row.ts'
import { type DecisionInput, decided, undecided } from './rule.ts'

/**
 * Changes what is decided about runs, of which some may need no attention any more. Throws NOT_FOUND for an unknown run;
 * VALIDATION_ERROR for a moment that is past, for both `until` and `resolved`, and for `me` with a key of no person.
 */
export const updateAttention: Operation<AttentionRoutes['updateAttention']> = async (ctx, { runIds, ...given }) => {
  if (given.until && given.until <= ctx.now) {
    throw invalid('until', `must be in the future, not ${given.until}; now it is ${ctx.now}`)
  }
  if (given.until && given.resolved)
    throw invalid('until', 'is only for runs that are not resolved: give either until or resolved')
  const patch = { ...given, ...(given.assignee === 'me' && { assignee: callerOf(ctx) }) }
  return inTx(ctx, async (ctx) => {
    const ids = await lockRuns(ctx, [...new Set(runIds)])
    const rows = await ctx.db.query<AttentionRow>(sql`
      select ${columns} from attention where run_id in (${listOf(ids)}) order by attention.run_id
      ${ctx.db.dialect.forUpdate}`)
    for (const row of rows) await change(ctx, row, valuesAfter(ctx, row, patch))
    if (rows.length === 0) return { attention: [] }
    if (patch.assignee || patch.note) await noteTexts(ctx.db, ids)
    const shown = await ctx.db.query<ShownRow>(sql`
      select ${shownColumns} from attention join runs on runs.id = attention.run_id
      where attention.run_id in (${listOf(rows.map(({ id }) => id))}) order by attention.since_at desc, attention.run_id desc`)
    return { attention: await shownRows(ctx, shown) }
  })
}

function callerOf(ctx: Ctx): string | null {
  requirePerson(ctx, 'assignee')
  return askerIn(ctx)
}

/** Locks runs in the order that all transactions use, and returns their numbers. Throws NOT_FOUND if one is unknown. */
async function lockRuns(ctx: Ctx, runIds: string[]): Promise<number[]> {
  const runs = await ctx.db.query<{ id: number; run_id: string }>(sql`
    select id, run_id from runs where project_id = ${ctx.project.id} and run_id in (${listOf(runIds)}) order by id
    ${ctx.db.dialect.forUpdate}`)
  const unknown = runIds.find((runId) => runs.every(({ run_id }) => run_id !== runId))
  if (unknown !== undefined) throw noRun(ctx, unknown)
  return runs.map(({ id }) => id)
}

function valuesAfter(ctx: Ctx, row: AttentionRow, patch: DecisionInput): Partial<AttentionColumns> {
  const { state, assignee, note } = row
  const before = { state, assignee, note, until: row.put_off_until, resolvedAt: row.resolved_at }
  const after = decided(before, patch, ctx.now)
  return {
    state: after.state,
    assignee: after.assignee,
    assignee_person: after.assignee === row.assignee ? row.assignee_person : personHash(after.assignee),
    put_off_until: after.until,
    resolved_at: after.resolvedAt,
    resolved_by: after.resolvedAt === null ? null : (row.resolved_by ?? ctx.actor.id),
    note: after.note,
  }
}

const wokenAtOnce = 100

/** Opens what was put off until now. Any server does this for all. Returns whether there may be more. */
export async function wakeAttention(db: Tx, now: string): Promise<boolean> {
  const due = await db.query<{ id: number }>(sql`
    select a.run_id as id from attention a join projects p on p.id = a.project_id
    where a.state = 'put-off' and a.put_off_until <= ${now} and p.deleted_at is null
    order by a.put_off_until limit ${wokenAtOnce}`)
  for (const { id } of due) await db.tx((tx) => wakeOne(tx, id, now))
  return due.length === wokenAtOnce
}

async function wakeOne(db: Tx, id: number, now: string): Promise<void> {
  const [row] = await db.query<AttentionRow>(
    sql`select ${columns} from attention where run_id = ${id} ${db.dialect.forUpdate}`,
  )
  if (row?.state !== 'put-off' || row.put_off_until === null || row.put_off_until > now) return
  await change(systemCtx(db, now, row.project_id), row, { state: undecided.state, put_off_until: undecided.until })
}
