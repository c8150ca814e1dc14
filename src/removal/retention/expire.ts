import sql from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { idsOf, listOf } from '../../frame/pieces.ts'
import { everyText } from '../../log/event.ts'
import { recordErasure } from '../../log/record.ts'
import { eraseFromEvents } from '../../log/seal/seal.ts'
import { columns, type RunRow } from '../../nouns/run/row.ts'
import { later } from '../../nouns/run/state.ts'
import { turnId } from '../../nouns/run/turn.ts'
import { removeRuns } from '../delete-run.ts'
import { eraseChecks, eraseTurns } from '../erase/others.ts'
import { everyPerson } from '../erase/persons.ts'
import { eraseRuns } from '../erase/run.ts'
import { type AgingRow, type Due, isToErase, whileDue } from './due.ts'

/** Does what is due for the runs of a slice, in one transaction. Returns those that were still due. */
export const carryOut = (ctx: Ctx, due: readonly Due[]): Promise<Due[]> =>
  whileDue(ctx, due, async (ctx, left) => {
    for (const [id, ours] of Map.groupBy(left, ({ run }) => run.project_id)) {
      const own = { ...ctx, project: { id, slug: '' } }
      await expire(own, ours.filter(isToErase))
      await remove(
        own,
        ours.filter(({ fate }) => fate === 'deleted'),
      )
    }
    return left
  })

/** Erases the texts of runs, their turns and their checks, then those of their events. */
async function expire(ctx: Ctx, due: Due[]): Promise<void> {
  if (due.length === 0) return
  const runs = due.map(({ run }) => run)
  const ids = listOf(idsOf(runs))
  const turns = await ctx.db.query<{ id: number; run_id: number; n: number }>(
    sql`select id, run_id, n from turns where run_id in (${ids}) order by id`,
  )
  const checks = await ctx.db.query<{ id: number; check_id: string }>(
    sql`select id, check_id from checks where run_id in (${ids}) order by id`,
  )
  await eraseRuns(ctx, idsOf(runs), everyText, everyPerson)
  await eraseTurns(ctx, idsOf(turns), everyText)
  await eraseChecks(ctx, idsOf(checks), everyText)
  const runIds = new Map(runs.map(({ id, run_id }) => [id, run_id]))
  const events = await eraseEventsOf(ctx, [
    ...runs.flatMap(({ id, run_id }) => ['run', 'attention'].map((noun) => ({ noun, id, subject: run_id }))),
    ...turns.map(({ id, run_id, n }) => ({ noun: 'turn', id, subject: turnId(runIds.get(run_id) ?? '', n) })),
    ...checks.map(({ id, check_id }) => ({ noun: 'check', id, subject: check_id })),
  ])
  await finish(ctx, runs, { turns: turns.length, checks: checks.length, events })
}

/** Records that the texts of runs of a project are gone. */
export async function finish(
  ctx: Ctx,
  runs: AgingRow[],
  others: { turns: number; checks: number; events: number },
): Promise<void> {
  for (const [at, some] of Map.groupBy(runs, (run) => lastTime(run, ctx.now))) {
    await ctx.db.query(sql`update runs set expired_at = ${at} where id in (${listOf(idsOf(some))})`)
  }
  await recordErasure(ctx, ctx.project.id, {
    what: 'retention',
    runIds: runs.map(({ run_id }) => run_id),
    erased: { runs: runs.length, ...others },
  })
}

/** The end of a run's texts: not before its last change, even if a clock was ahead then. */
export const lastTime = ({ updated_at, checked_at }: AgingRow, now: string) => later(later(now, updated_at), checked_at)

async function remove(ctx: Ctx, due: Due[]): Promise<void> {
  if (due.length === 0) return
  const ids = listOf(due.map(({ run }) => run.id))
  await removeRuns(
    ctx,
    await ctx.db.query<RunRow>(sql`select ${columns} from runs where runs.id in (${ids}) order by runs.id`),
  )
}

/** What events are about. A deleted row may have had the same `subject`, but never the same `id`. */
interface Subject {
  noun: string
  id: number
  subject: string
}

/** Erases the texts of all events of these subjects of a project. Returns how many events had any. */
async function eraseEventsOf(ctx: Ctx, subjects: Subject[]): Promise<number> {
  const known = new Set(subjects.map(({ noun, id }) => `${noun} ${id}`))
  // Plain appends are stored as a list and contain no texts. The addition keeps the engine from reading all events of the
  // project.
  const found = await ctx.db.query<{ seq: number; type: string; subject_id: number }>(sql`
    select e.seq, e.type, e.subject_id from events e
    where e.subject in (${listOf(subjects.map(({ subject }) => subject))}) and e.is_append in (0, 1)
      and e.project_id + 0 = ${ctx.project.id} and e.changes not like '[%'`)
  const ours = found.filter(({ type, subject_id }) => known.has(`${type.split('.')[0]} ${subject_id}`))
  return eraseFromEvents(
    ctx.db,
    ours.map(({ seq }) => seq),
    everyText,
  )
}
