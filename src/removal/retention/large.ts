import { setImmediate as tick } from 'node:timers/promises'
import sql, { raw } from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { everyText } from '../../log/event-text.ts'
import { eraseFromEvents } from '../../log/seal/seal.ts'
import { deleteTurnsOf } from '../../nouns/run/append-turn.ts'
import { columns, type RunRow } from '../../nouns/run/row.ts'
import { turnId } from '../../nouns/run/turn.ts'
import { deleteChecksOf } from '../delete-check.ts'
import { removeRuns } from '../delete-run.ts'
import { eraseChecks, eraseTurns } from '../erase/others.ts'
import { eraseRuns } from '../erase/run.ts'
import { type Due, isToErase, whileDue } from './due.ts'
import { finish } from './expire.ts'

/** How many rows or events one transaction changes. */
const atOnce = 20
/** How many events one statement checks. */
const lookedAtOnce = 500

/**
 * Does what is due for a run that is too large for one transaction, in many short ones. It can be interrupted at any point
 * and started again. Returns whether the run was still due at the end; if somebody changes it, it stays as it is then.
 */
export async function carryOutLarge(ctx: Ctx, due: Due): Promise<boolean> {
  const own = { ...ctx, project: { id: due.run.project_id, slug: '' } }
  if (isToErase(due) && !(await expire(own, due))) return false
  return due.fate === 'erased' || remove(own, due)
}

/** Runs `work` in a transaction if the run is still due; otherwise returns undefined. */
async function whileStillDue<T>(ctx: Ctx, due: Due, work: (ctx: Ctx) => Promise<T>): Promise<T | undefined> {
  await tick()
  return whileDue(ctx, [due], async (ctx, left) => (left.length === 0 ? undefined : work(ctx)))
}

async function expire(ctx: Ctx, due: Due): Promise<boolean> {
  const { id, run_id } = due.run
  if ((await whileStillDue(ctx, due, (ctx) => eraseRuns(ctx, [id], everyText))) === undefined) return false
  const turns = await erasePartsOf(ctx, due, 'turns', 'n')
  const checks = await erasePartsOf(ctx, due, 'checks', 'check_id')
  if (!turns || !checks) return false
  let events = await eraseEventsOf(ctx, 'run', id, run_id)
  for (const { id, name } of turns) events += await eraseEventsOf(ctx, 'turn', id, turnId(run_id, Number(name)))
  for (const { id, name } of checks) events += await eraseEventsOf(ctx, 'check', id, String(name))
  const done = await whileStillDue(ctx, due, async (ctx) => {
    await finish(ctx, [due.run], { turns: turns.length, checks: checks.length, events })
    return true
  })
  return done === true
}

const erasers = { turns: eraseTurns, checks: eraseChecks }

/** Erases the texts of the turns or checks of a run. Returns all of them with their names; undefined if it is no longer due. */
async function erasePartsOf(ctx: Ctx, due: Due, table: 'turns' | 'checks', name: string) {
  const all: { id: number; name: number | string }[] = []
  for (let last = 0; ; ) {
    const rows = await ctx.db.query<(typeof all)[number]>(sql`
      select id, ${raw(name)} as name from ${raw(table)} where run_id = ${due.run.id} and id > ${last}
      order by id limit ${atOnce}`)
    const ids = rows.map(({ id }) => id)
    if (ids.length === 0) return all
    if ((await whileStillDue(ctx, due, (ctx) => erasers[table](ctx, ids, everyText))) === undefined) return undefined
    all.push(...rows)
    last = ids.at(-1) ?? last
  }
}

/**
 * Erases the texts of all events about a row. Returns how many events had any. Those of a deleted row may have the same
 * subject.
 */
async function eraseEventsOf(ctx: Ctx, noun: 'run' | 'turn' | 'check', id: number, subject: string): Promise<number> {
  let count = 0
  for (const isAppend of noun === 'run' ? [0, 1] : [0]) {
    for (let last = 0; ; ) {
      // Along the index, so that a statement never checks many events that it does not return.
      const looked = await ctx.db.query<{ seq: number; is_ours: number }>(sql`
        select e.seq, case when e.project_id + 0 = ${ctx.project.id} and e.type like ${`${noun}.%`}
          and e.subject_id = ${id} and e.changes not like '[%' then 1 else 0 end as is_ours
        from events e where e.subject = ${subject} and e.is_append = ${isAppend} and e.seq > ${last}
        order by e.seq limit ${lookedAtOnce}`)
      const seqs = looked.filter(({ is_ours }) => is_ours === 1).map(({ seq }) => seq)
      for (let at = 0; at < seqs.length; at += atOnce) {
        count += await ctx.db.tx((tx) => eraseFromEvents(tx, seqs.slice(at, at + atOnce), everyText))
        await tick()
      }
      if (looked.length < lookedAtOnce) break
      last = looked.at(-1)?.seq ?? last
    }
  }
  return count
}

/** Deletes a run as a caller would, but its turns and checks in slices first. */
async function remove(ctx: Ctx, due: Due): Promise<boolean> {
  for (const deleteSome of [deleteTurnsOf, deleteChecksOf]) {
    let deleted: number | undefined
    do {
      deleted = await whileStillDue(ctx, due, (ctx) => deleteSome(ctx, [due.run], atOnce))
      if (deleted === undefined) return false
    } while (deleted === atOnce)
  }
  const done = await whileStillDue(ctx, due, async (ctx) => {
    const rows = await ctx.db.query<RunRow>(sql`select ${columns} from runs where runs.id = ${due.run.id}`)
    await removeRuns(ctx, rows)
    return true
  })
  return done === true
}
