import { setImmediate as turn } from 'node:timers/promises'
import sql, { empty } from 'sql-template-tag'
import { invalid } from '../../api/error.ts'
import { type Retention, retentionOf } from '../../ledger/retention.ts'
import type { Ctx, Operation } from '../ctx.ts'
import { only, type Tx } from '../engine/db.ts'
import { numberEvents } from '../log/number.ts'
import { type AgingRow, agingColumns, carryOut, fateOfRow } from './expire.ts'
import { type Pass, passIn, passText } from './pass.ts'

/** How long a request works before it returns a cursor, and how long it may block the event loop, in milliseconds. */
const budgetMs = 10_000
const sliceMs = 5
/** How many ids one statement checks. */
const lookedAtOnce = 1_000

/** The retention of each project that has one, by row number. */
export type Rules = ReadonlyMap<number, Retention>

/**
 * Applies the retention of the project, or counts what it would remove. Throws BAD_REQUEST for an invalid cursor;
 * VALIDATION_ERROR for a retention without `dryRun`.
 */
export const forget: Operation<'forget'> = async (ctx, { dryRun = false, retention, cursor }) => {
  if (retention && !dryRun) {
    throw invalid('retention', 'goes with dryRun, and changes nothing: to apply it, PATCH it to the project first')
  }
  await numberEvents(ctx.db)
  const rule = retention ? retentionOf(retention) : (await readRules(ctx.db, ctx.project.id)).get(ctx.project.id)
  const rules: Rules = new Map(rule ? [[ctx.project.id, rule]] : [])
  const pass = passIn(cursor)
  const end = performance.now() + budgetMs
  let hasMore = true
  while (hasMore && performance.now() < end) {
    hasMore = await forgetMore(ctx, rules, pass, { dryRun, until: performance.now() + sliceMs })
    await turn()
  }
  const { erased, deleted } = pass
  return { erased, deleted, hasMore, ...(hasMore && { nextCursor: passText(pass) }) }
}

/** The retention of that project, or of each project with one. */
export async function readRules(db: Tx, projectId?: number): Promise<Rules> {
  const rows = await db.query<{ id: number; retention: string }>(sql`
    select id, retention from projects where retention is not null and deleted_at is null
      ${projectId === undefined ? empty : sql`and id = ${projectId}`}`)
  return new Map(rows.map(({ id, retention }) => [id, JSON.parse(retention)]))
}

interface Manner {
  /** Whether to count only. */
  dryRun: boolean
  /** When to stop, in the time of `performance.now()`. */
  until: number
}

/** Continues a pass over the runs of these projects. Returns whether there is more to check. */
export async function forgetMore(ctx: Ctx, rules: Rules, pass: Pass, { dryRun, until }: Manner): Promise<boolean> {
  if (rules.size === 0) return false
  const [project] = rules.size === 1 ? rules.keys() : []
  const [end] = await ctx.db.query<{ id: number | null }>(sql`select max(id) as id from
    (select id from runs where id > ${pass.last} order by id limit ${lookedAtOnce}) as looked`)
  if (!end?.id) return false
  // The addition keeps the engine from using an index of the project, which has another order.
  const rows = await ctx.db.query<AgingRow>(sql`
    select ${agingColumns} from runs where id > ${pass.last} and id <= ${end.id} and status <> 'in_progress'
      ${project === undefined ? empty : sql`and project_id + 0 = ${project}`} order by id`)
  for (const row of rows) {
    await forgetOne(ctx, rules.get(row.project_id), row, pass, dryRun)
    pass.last = row.id
    if (performance.now() > until) return true
  }
  pass.last = end.id
  return true
}

async function forgetOne(ctx: Ctx, rule: Retention | undefined, row: AgingRow, pass: Pass, dryRun: boolean) {
  const fate = rule ? fateOfRow(row, rule, ctx.now) : 'kept'
  if (!rule || fate === 'kept') return
  const at = row.ended_at ?? row.updated_at
  const sum = pass[fate]
  sum.runs++
  sum.bytes += await bytesOf(ctx.db, row.id)
  if (sum.oldest === null || at < sum.oldest) sum.oldest = at
  if (!dryRun) await carryOut(ctx, row, rule, fate)
}

/** The size of the contents of a run, its turns and its checks that are not erased. */
async function bytesOf(db: Tx, run: number): Promise<number> {
  const rows = await db.query<{ bytes: number }>(sql`
    select coalesce(sum(octet_length(d.text)), 0) as bytes from document_parts d
    where d.dropped = 0 and d.document_id in (
      select document_id from runs where id = ${run}
      union all select document_id from checks where run_id = ${run}
      union all select prompt_id from turns where run_id = ${run}
      union all select answer_id from turns where run_id = ${run})`)
  return Number(only(rows).bytes)
}
