import sql, { join } from 'sql-template-tag'
import { everyText } from '../../ledger/erase.ts'
import { type Fate, fateOf, type Retention } from '../../ledger/retention.ts'
import type { Ctx } from '../ctx.ts'
import { eraseCheck, eraseTurn } from '../erase/others.ts'
import { recordErasure } from '../erase/record.ts'
import { eraseRun } from '../erase/run.ts'
import { columns, type RunRow } from '../run/row.ts'
import { removeRun } from '../run/run.ts'
import { deleteTurnsOf } from '../run/turn.ts'
import { eraseFromEvent } from '../seal/erase.ts'

/** How many rows or events one transaction changes, because other writers wait for it. */
const atOnce = 20

interface Expiring {
  id: number
  project_id: number
  run_id: string
}

/** The columns of `runs` that `fateOf` needs. */
export interface AgingRow extends Expiring {
  status: RunRow['status']
  ended_at: string | null
  updated_at: string
  labels: string
  expired_at: string | null
}

export const agingColumns = sql`id, project_id, run_id, status, ended_at, updated_at, labels, expired_at`

export const fateOfRow = (row: AgingRow, retention: Retention, now: string): Fate =>
  fateOf(
    {
      status: row.status,
      endedAt: row.ended_at,
      updatedAt: row.updated_at,
      labels: row.labels === '{}' ? [] : Object.keys(JSON.parse(row.labels)),
      expiredAt: row.expired_at,
    },
    retention,
    now,
  )

/**
 * Does what is due for a run, in short transactions. It can be interrupted at any point and started again. If someone
 * changes the run so that it is no longer due, it stays as it is then.
 */
export async function carryOut(ctx: Ctx, run: AgingRow, retention: Retention, fate: Fate): Promise<void> {
  const own = { ...ctx, project: { id: run.project_id, slug: '' } }
  const due: Due = { run, isDue: (row) => fateOfRow(row, retention, ctx.now) === fate }
  const hasTexts = run.expired_at === null || run.expired_at < run.updated_at
  if (hasTexts) await expire(own, due)
  if (fate === 'deleted') await remove(own, due)
}

interface Due {
  run: Expiring
  isDue(row: AgingRow): boolean
}

/** Runs `work` in a transaction that locks the run, if it is still due; otherwise returns undefined. */
function whileDue<T>(ctx: Ctx, { run, isDue }: Due, work: (ctx: Ctx) => Promise<T>): Promise<T | undefined> {
  return ctx.db.tx(async (tx) => {
    // The indexer must not write words that it read before.
    await tx.query(sql`select last_seq from followers where name = 'search' ${tx.dialect.forUpdate}`)
    const [row] = await tx.query<AgingRow>(
      sql`select ${agingColumns} from runs where id = ${run.id} ${tx.dialect.forUpdate}`,
    )
    return row && isDue(row) ? work({ ...ctx, db: tx }) : undefined
  })
}

/** Erases the texts of a run, its turns and its checks, then those of their events. */
async function expire(ctx: Ctx, due: Due): Promise<void> {
  const { id, project_id, run_id } = due.run
  if ((await whileDue(ctx, due, (ctx) => eraseRun(ctx, id, everyText))) === undefined) return
  const turns = await ctx.db.query<{ id: number; n: number }>(
    sql`select id, n from turns where run_id = ${id} order by id`,
  )
  const checks = await ctx.db.query<{ id: number; check_id: string }>(
    sql`select id, check_id from checks where run_id = ${id} order by id`,
  )
  for (const [rows, eraseOne] of [[turns, eraseTurn] as const, [checks, eraseCheck] as const]) {
    for (const some of slicesOf<{ id: number }>(rows)) {
      await whileDue(ctx, due, async (ctx) => {
        for (const row of some) await eraseOne(ctx, row.id, everyText)
        return true
      })
    }
  }
  let events = await eraseEvents(ctx, 'run', [run_id])
  for (const some of slicesOf(turns)) {
    events += await eraseEvents(
      ctx,
      'turn',
      some.map(({ n }) => `${run_id}/${n}`),
    )
  }
  for (const some of slicesOf(checks)) {
    events += await eraseEvents(
      ctx,
      'check',
      some.map(({ check_id }) => check_id),
    )
  }
  await whileDue(ctx, due, async (ctx) => {
    await ctx.db.query(sql`update runs set expired_at = ${ctx.now} where id = ${id}`)
    const erased = { runs: 1, turns: turns.length, checks: checks.length, events }
    await recordErasure(ctx, project_id, { what: 'retention', runId: run_id, erased })
    return true
  })
}

/** Erases the texts of all events of these subjects. Returns how many events had any. */
async function eraseEvents(ctx: Ctx, noun: 'run' | 'turn' | 'check', subjects: string[]): Promise<number> {
  let count = 0
  for (let last = 0; ; ) {
    // Plain appends are stored as a list and contain no texts.
    const found = await ctx.db.query<{ seq: number }>(sql`
      select e.seq from events e
      where e.subject in (${join(subjects)}) and e.is_append in (0, 1) and e.seq > ${last}
        and e.project_id = ${ctx.project.id} and e.type like ${`${noun}.%`} and e.changes not like '[%'
      order by e.seq limit ${atOnce}`)
    const end = found.at(-1)
    if (!end) return count
    count += await ctx.db.tx(async (tx) => {
      let erased = 0
      for (const { seq } of found) if (await eraseFromEvent(tx, seq, everyText)) erased++
      return erased
    })
    last = end.seq
  }
}

/** Deletes a run as a caller would, but its turns in slices first. */
async function remove(ctx: Ctx, due: Due): Promise<void> {
  const withRow = (work: (ctx: Ctx, row: RunRow) => Promise<number>) =>
    whileDue(ctx, due, async (ctx) => {
      const [row] = await ctx.db.query<RunRow>(sql`select ${columns} from runs where runs.id = ${due.run.id}`)
      return row ? work(ctx, row) : 0
    })
  while ((await withRow((ctx, row) => deleteTurnsOf(ctx, row, atOnce))) === atOnce);
  await withRow(async (ctx, row) => {
    await removeRun(ctx, row)
    return 0
  })
}

function slicesOf<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / atOnce) }, (_, at) => all.slice(at * atOnce, (at + 1) * atOnce))
}
