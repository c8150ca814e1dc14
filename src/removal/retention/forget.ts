import { setImmediate as turn } from 'node:timers/promises'
import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import { ConductError, invalid } from '../../contract/error.ts'
import type { Tx } from '../../engine/db.ts'
import type { Ctx, Operation } from '../../frame/ctx.ts'
import { listOf } from '../../frame/pieces.ts'
import { numberEvents } from '../../log/number.ts'
import { lastSeq } from '../../log/read.ts'
import { readSize, sealNext } from '../../log/seal/seal.ts'
import { type Retention, retentionOf } from '../../nouns/project/retention.ts'
import type { ForgetRoutes } from '../forget-routes.ts'
import { countFitting, nextParts, type PartTable, type RunPart } from '../slice.ts'
import { type AgingRow, agingColumns, type Due, dueOf } from './due.ts'
import { carryOut } from './expire.ts'
import { carryOutLarge } from './large.ts'
import { passIn, passText, type RetentionPass } from './pass.ts'

/** How long a request works before it returns a cursor, and how long it may block the event loop, in milliseconds. */
const budgetMs = 10_000
const sliceMs = 5
/** How many ids one statement checks. */
const lookedAtOnce = 250
/** How many events may be left unsealed before a slice. */
const unsealed = 256

/** The retention of each project that has one, by row number. */
type Rules = ReadonlyMap<number, Retention>

/**
 * Applies the retention of the project, or counts what it would remove. Throws BAD_REQUEST for an invalid cursor;
 * VALIDATION_ERROR for a retention without `dryRun`; CONFLICT while the time may be wrong.
 */
export const forget: Operation<ForgetRoutes['forget']> = async (ctx, { dryRun = false, retention, cursor }) => {
  if (retention && !dryRun) {
    throw invalid('retention', 'goes with dryRun, and changes nothing: to apply it, PATCH it to the project first')
  }
  if (ctx.doubt && !dryRun) {
    throw new ConductError('CONFLICT', `Nothing is removed while the time may be wrong. ${ctx.doubt}`)
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
export async function forgetMore(
  ctx: Ctx,
  rules: Rules,
  pass: RetentionPass,
  { dryRun, until }: Manner,
): Promise<boolean> {
  if (rules.size === 0) return false
  const [end] = await ctx.db.query<{ id: number | null }>(sql`select max(id) as id from
    (select id from runs where id > ${pass.last} order by id limit ${lookedAtOnce}) as looked`)
  if (!end?.id) return false
  let due = await readDue(ctx, rules, pass.last, end.id)
  if (due.length > 0 && !dryRun && (await sealLate(ctx.db))) return true
  while (due.length > 0) {
    // A run that is too large for one transaction comes alone.
    const fitting = await countFitting(
      ctx,
      due.map(({ run }) => run.id),
      true,
    )
    const slice = due.slice(0, Math.max(1, fitting))
    await forgetSlice(ctx, slice, pass, dryRun ? async () => slice : fitting === 0 ? carryOutLarge : carryOut)
    due = due.slice(slice.length)
    pass.last = slice.at(-1)?.run.id ?? pass.last
    if (performance.now() > until) return true
  }
  pass.last = end.id
  return true
}

async function readDue(ctx: Ctx, rules: Rules, after: number, end: number): Promise<Due[]> {
  const [project] = rules.size === 1 ? rules.keys() : []
  // The addition keeps the engine from using an index of the project, which has another order.
  const rows = await ctx.db.query<AgingRow>(sql`
    select ${agingColumns} from runs where id > ${after} and id <= ${end} and status <> 'in_progress'
      ${project === undefined ? empty : sql`and project_id + 0 = ${project}`} order by id`)
  // Now all events of the runs, as they were read, have a number.
  await numberEvents(ctx.db)
  return rows.flatMap((row) => dueOf(row, rules.get(row.project_id), ctx.now) ?? [])
}

/** Seals some of the log if much of it is not sealed, which erasing would otherwise do in its own transaction. */
async function sealLate(db: Tx): Promise<boolean> {
  return (await lastSeq(db)) - (await readSize(db)) > unsealed && (await sealNext(db))
}

/** Lets `work` do what is due for the runs of a slice, which returns those that were still due, and counts them. */
async function forgetSlice(
  ctx: Ctx,
  slice: Due[],
  pass: RetentionPass,
  work: (ctx: Ctx, due: Due[]) => Promise<Due[]>,
) {
  const bytes = await storedBytes(
    ctx,
    slice.map(({ run }) => run.id),
  )
  for (const { run, fate } of await work(ctx, slice)) {
    const at = run.ended_at ?? run.updated_at
    const sum = pass[fate]
    sum.runs++
    sum.bytes += bytes.get(run.id) ?? 0
    if (sum.oldest === null || at < sum.oldest) sum.oldest = at
  }
}

type Db = Pick<Ctx, 'db'>

/** By run: the size of its contents, and of those of its turns and checks, that are not erased. */
async function storedBytes(ctx: Db, runs: number[]): Promise<Map<number, number>> {
  const sums = new Map<number, number>()
  await addBytes(ctx, sums, [textsOf('runs', 'id', 'document_id', runs)])
  await addParts(ctx, sums, 'turns', ['prompt_id', 'answer_id'], runs, diffsOf)
  await addParts(ctx, sums, 'checks', ['document_id'], runs)
  return sums
}

async function addParts(
  ctx: Db,
  sums: Map<number, number>,
  table: PartTable,
  documents: string[],
  runs: number[],
  more: (ids: number[]) => Sql[] = () => [],
) {
  for (let after: RunPart | undefined; ; await turn()) {
    const { parts, isLast } = await nextParts(ctx, table, runs, after)
    const ids = parts.map(({ id }) => id)
    if (ids.length > 0) {
      const texts = documents.map((document) => textsOf(table, 'run_id', document, ids))
      await addBytes(ctx, sums, [...texts, ...more(ids)])
    }
    if (isLast) return
    after = parts.at(-1)
  }
}

/** A subquery per row, because PostgreSQL may answer a join by reading all parts of all documents. */
const textsOf = (table: string, run: string, document: string, ids: number[], key = 'id') => sql`
  select ${raw(`o.${run}`)} as run, (select coalesce(sum(octet_length(d.text)), 0) from document_parts d
    where d.document_id = ${raw(`o.${document}`)} and d.dropped = 0) as bytes
  from ${raw(table)} o where ${raw(`o.${key}`)} in (${listOf(ids)})`

/** The diffs of turns. */
const diffsOf = (turns: number[]) =>
  ['document_id', 'whole_document_id'].map((document) => textsOf('turn_diffs', 'run_id', document, turns, 'turn_id'))

async function addBytes({ db }: Db, sums: Map<number, number>, selects: Sql[]): Promise<void> {
  const rows = await db.query<{ run: number; bytes: number }>(sql`
    select run, sum(bytes) as bytes from (${join(selects, ' union all ')}) as texts group by run`)
  for (const { run, bytes } of rows) sums.set(run, (sums.get(run) ?? 0) + Number(bytes))
}
