import { setImmediate as turn } from 'node:timers/promises'
import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { listOf, present } from '../../frame/pieces.ts'
import type { Due } from './due.ts'

/** What one transaction takes at most, because other writers wait for it. */
export const most = { runs: 20, parts: 60, events: 200, bytes: 1_048_576 }

export interface Slice {
  due: Due[]
  /** Whether it is a single run that is too large for one transaction. */
  isLarge: boolean
}

/** Some of the runs, from the first on, that one transaction can process; or the first alone, if it is too large. */
export async function nextSlice({ db }: Pick<Ctx, 'db'>, due: readonly Due[]): Promise<Slice> {
  const first = due.slice(0, most.runs)
  const rows = await db.query<Size & { id: number }>(sql`
    select runs.id, ${bytes} as bytes, ${parts} as parts, ${events} as events
    from runs where runs.id in (${listOf(first.map(({ run }) => run.id))})`)
  const sizes = new Map(rows.map(({ id, ...size }) => [id, size]))
  const sum: Size = { bytes: 0, parts: 0, events: 0 }
  const fits = first.findIndex(({ run }) => !add(sum, sizes.get(run.id)))
  if (fits === 0) return { due: first.slice(0, 1), isLarge: true }
  return { due: fits < 0 ? first : first.slice(0, fits), isLarge: false }
}

/** How much of what `most` limits a run has. */
interface Size {
  bytes: number
  parts: number
  events: number
}

/** Adds the size of a run; an unknown one is that of a run that is gone. Returns whether the sum is within the limits. */
function add(sum: Size, size: Size = { bytes: 0, parts: 0, events: 0 }): boolean {
  for (const field of ['bytes', 'parts', 'events'] as const) sum[field] += Number(size[field])
  return sum.bytes <= most.bytes && sum.parts <= most.parts && sum.events <= most.events
}

/** Counts the rows of a statement, but not beyond the limit. */
const upTo = (limit: number, rows: Sql) =>
  sql`(select count(*) from (select 1 as one ${rows} limit ${limit + 1}) as counted)`

const bytesIn = (table: string, columns: string) => sql`coalesce((select sum(d.bytes) from (
  select * from ${raw(table)} p where p.run_id = runs.id limit ${most.parts + 1}) as p
  join documents d on d.id in (${raw(columns)})), 0)`
const bytes = sql`coalesce((select d.bytes from documents d where d.id = runs.document_id), 0)
  + ${bytesIn('turns', 'p.prompt_id, p.answer_id')} + ${bytesIn('checks', 'p.document_id')}`

const partsIn = (table: string) => upTo(most.parts, sql`from ${raw(table)} p where p.run_id = runs.id`)
const parts = sql`${partsIn('turns')} + ${partsIn('checks')}`

/** Counts along the index of subjects, which does not know the project: an id that many projects use counts for all. */
const ofSubject = (subject: Sql) =>
  upTo(most.events, sql`from events e where e.subject = ${subject} and e.is_append in (0, 1)`)
const ofChecks = sql`coalesce((select sum(${ofSubject(sql`c.check_id`)}) from (
  select p.check_id from checks p where p.run_id = runs.id limit ${most.parts + 1}) as c), 0)`
const ofTurns = upTo(
  most.events,
  sql`from events e where e.subject >= runs.run_id || '/' and e.subject < runs.run_id || '0'`,
)
const events = sql`${ofSubject(sql`runs.run_id`)} + ${ofTurns} + ${ofChecks}`

const countedAtOnce = 500

/** By run: the size of its contents, and those of its turns and checks, that are not erased. */
export async function bytesOf(ctx: Pick<Ctx, 'db'>, { due, isLarge }: Slice): Promise<Map<number, number>> {
  const sums = new Map<number, number>()
  const ids = listOf(due.map(({ run }) => run.id))
  const ofRuns = sizesOf('runs', 'id', 'document_id', sql`o.id in (${ids})`)
  const ofParts = (where: Sql) => [
    sizesOf('checks', 'run_id', 'document_id', where),
    sizesOf('turns', 'run_id', 'prompt_id', where),
    sizesOf('turns', 'run_id', 'answer_id', where),
  ]
  const ours = sql`o.run_id in (${ids})`
  await addSizes(ctx, sums, isLarge ? [ofRuns] : [ofRuns, ...ofParts(ours)])
  if (!isLarge) return sums
  for (let last = 0; ; ) {
    const endIn = (table: string) => sql`(select max(id) from (select o.id from ${raw(table)} o
      where ${ours} and o.id > ${last} order by o.id limit ${countedAtOnce}) as counted)`
    const [ends] = await ctx.db.query<{ turn: number | null; check: number | null }>(
      sql`select ${endIn('turns')} as turn, ${endIn('checks')} as "check"`,
    )
    const until = Math.min(...present([ends?.turn ?? null, ends?.check ?? null]))
    if (until === Number.POSITIVE_INFINITY) return sums
    await addSizes(ctx, sums, ofParts(sql`${ours} and o.id > ${last} and o.id <= ${until}`))
    last = until
    await turn()
  }
}

/** A subquery per row, because PostgreSQL may answer a join by reading all parts of all documents. */
const sizesOf = (table: string, run: string, column: string, where: Sql) => sql`
  select ${raw(`o.${run}`)} as run, (select coalesce(sum(octet_length(d.text)), 0) from document_parts d
    where d.document_id = ${raw(`o.${column}`)} and d.dropped = 0) as bytes
  from ${raw(table)} o where ${where}`

async function addSizes({ db }: Pick<Ctx, 'db'>, sums: Map<number, number>, selects: Sql[]): Promise<void> {
  const rows = await db.query<{ run: number; bytes: number }>(sql`
    select run, sum(bytes) as bytes from (${join(selects, ' union all ')}) as sizes group by run`)
  for (const { run, bytes } of rows) sums.set(run, (sums.get(run) ?? 0) + Number(bytes))
}
