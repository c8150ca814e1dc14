import { setImmediate as tick } from 'node:timers/promises'
import sql from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { everyText } from '../../log/event.ts'
import { eraseFromEvents } from '../../log/seal/seal.ts'
import { columns, type RunRow } from '../../nouns/run/row.ts'
import { turnId } from '../../nouns/run/turn.ts'
import { hideRun } from '../delete-run.ts'
import { eraseChecks, eraseTurns } from '../erase/others.ts'
import { everyPerson } from '../erase/persons.ts'
import { eraseRuns } from '../erase/run.ts'
import { most, nextParts, type PartTable, type RunPart } from '../slice.ts'
import { type Due, isToErase, whileDue } from './due.ts'
import { finish, lastTime } from './expire.ts'

/**
 * Does what is due for a run that is too large for one transaction, in many short ones. It can be interrupted at any point
 * and started again. Returns the run if it was still due at the end; if somebody changes it, it stays as it is then.
 */
export async function carryOutLarge(ctx: Ctx, [due]: Due[]): Promise<Due[]> {
  if (!due) return []
  const own = { ...ctx, project: { id: due.run.project_id, slug: '' } }
  const left = isToErase(due) ? await expire(own, due) : due
  if (!left) return []
  return left.fate === 'erased' || (await remove(own, left)) ? [left] : []
}

/** Runs `work` in a transaction if the run is still due; otherwise returns undefined. */
async function whileStillDue<T>(ctx: Ctx, due: Due, work: (ctx: Ctx) => Promise<T>): Promise<T | undefined> {
  await tick()
  return whileDue(ctx, [due], async (ctx, left) => (left.length === 0 ? undefined : work(ctx)))
}

/** A time before all others: the texts of the run are being erased. `noteTexts` takes it away. */
const begun = '0001-01-01T00:00:00.000Z'

/** Erases the texts of a run and of all that belongs to it. Returns the run as it is then; undefined if it is no longer due. */
async function expire(ctx: Ctx, before: Due): Promise<Due | undefined> {
  const { id, run_id } = before.run
  const isBegun = await whileStillDue(ctx, before, async (ctx) => {
    await eraseRuns(ctx, [id], everyText, everyPerson)
    await ctx.db.query(sql`update runs set expired_at = ${begun} where id = ${id}`)
    return true
  })
  if (!isBegun) return undefined
  const due = expiredAt(before, begun)
  const turns = await erasePartsOf(ctx, due, 'turns')
  const checks = await erasePartsOf(ctx, due, 'checks')
  if (!turns || !checks) return undefined
  let events = (await eraseEventsOf(ctx, 'run', id, run_id)) + (await eraseEventsOf(ctx, 'attention', id, run_id))
  for (const { id, name } of turns) events += await eraseEventsOf(ctx, 'turn', id, turnId(run_id, Number(name)))
  for (const { id, name } of checks) events += await eraseEventsOf(ctx, 'check', id, String(name))
  const done = await whileStillDue(ctx, due, async (ctx) => {
    await finish(ctx, [due.run], { turns: turns.length, checks: checks.length, events })
    return true
  })
  return done ? expiredAt(due, lastTime(due.run, ctx.now)) : undefined
}

const expiredAt = (due: Due, at: string): Due => ({ ...due, run: { ...due.run, expired_at: at } })

const erasers = { turns: eraseTurns, checks: eraseChecks }

/** Erases the texts of the turns or checks of a run. Returns all of them; undefined if the run is no longer due. */
async function erasePartsOf(ctx: Ctx, due: Due, table: PartTable): Promise<RunPart[] | undefined> {
  const all: RunPart[] = []
  for (;;) {
    const { parts, isLast } = await nextParts(ctx, table, [due.run.id], all.at(-1))
    const ids = parts.map(({ id }) => id)
    if ((await whileStillDue(ctx, due, (ctx) => erasers[table](ctx, ids, everyText))) === undefined) return undefined
    all.push(...parts)
    if (isLast) return all
  }
}

/**
 * Erases the texts of all events about a row. Returns how many events had any. Those of a deleted row may have the same
 * subject.
 */
async function eraseEventsOf(
  ctx: Ctx,
  noun: 'run' | 'attention' | 'turn' | 'check',
  id: number,
  subject: string,
): Promise<number> {
  let count = 0
  for (const isAppend of noun === 'run' ? [0, 1] : [0]) {
    for (let last = 0; ; ) {
      // Along the index, so that a statement never checks many events that it does not return.
      const looked = await ctx.db.query<{ seq: number; is_ours: number }>(sql`
        select e.seq, case when e.project_id + 0 = ${ctx.project.id} and e.type like ${`${noun}.%`}
          and e.subject_id = ${id} and e.changes not like '[%' then 1 else 0 end as is_ours
        from events e where e.subject = ${subject} and e.is_append = ${isAppend} and e.seq > ${last}
        order by e.seq limit ${most.looked}`)
      const seqs = looked.filter(({ is_ours }) => is_ours === 1).map(({ seq }) => seq)
      for (let at = 0; at < seqs.length; at += most.rows) {
        count += await ctx.db.tx((tx) => eraseFromEvents(tx, seqs.slice(at, at + most.rows), everyText))
        await tick()
      }
      if (looked.length < most.looked) break
      last = looked.at(-1)?.seq ?? last
    }
  }
  return count
}

/** Deletes a run as a caller would. */
async function remove(ctx: Ctx, due: Due): Promise<boolean> {
  const done = await whileStillDue(ctx, due, async (ctx) => {
    const [row] = await ctx.db.query<RunRow>(sql`select ${columns} from runs where runs.id = ${due.run.id}`)
    if (row) await hideRun(ctx, row)
    return true
  })
  return done === true
}
