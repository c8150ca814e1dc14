import { setImmediate as turn } from 'node:timers/promises'
import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { listOf } from '../../frame/pieces.ts'
import { nextParts, type Part, type PartTable } from '../slice.ts'

type Db = Pick<Ctx, 'db'>

/** By run: the size of its contents, and of those of its turns and checks, that are not erased. */
export async function storedBytes(ctx: Db, runs: number[]): Promise<Map<number, number>> {
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
  for (let after: Part | undefined; ; await turn()) {
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
