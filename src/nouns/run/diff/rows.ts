import sql, { raw, type Sql } from 'sql-template-tag'
import { ConductError } from '../../../contract/error.ts'
import { pathFrom } from '../../../contract/file-path.ts'
import type { Ctx } from '../../../frame/ctx.ts'
import { listOf, piecesOf } from '../../../frame/pieces.ts'
import type { RunRow } from '../row.ts'
import type { ChangedFile, FileChange } from './fields.ts'

/** Which rows `t` of turn_diffs to read, and which of their two changes. */
export interface DiffColumns {
  where: Sql
  facts: Sql
  document: Sql
}

const isThere = (facts: Sql) => sql`${facts} <> '{}'`

/**
 * The diffs of a turn, and what else is known of it, as JSON: nothing yet, while it is open. Throws NOT_FOUND if the run has
 * no such turn.
 */
export async function diffsOfTurn(ctx: Ctx, run: RunRow, n: number): Promise<{ facts: string; diffs: DiffColumns }> {
  const [turn] = await ctx.db.query<{ id: number; facts: string }>(sql`
    select id, facts from turns where run_id = ${run.id} and n = ${n}
    union all select id, '{}' from open_turns where run_id = ${run.id} and n = ${n}`)
  if (!turn) throw new ConductError('NOT_FOUND', `Run '${run.run_id}' has no turn ${n}.`)
  const facts = sql`t.facts`
  const where = sql`t.turn_id = ${turn.id} and ${isThere(facts)}`
  return { facts: turn.facts, diffs: { where, facts, document: sql`t.document_id` } }
}

/** The diffs of a run: of each file, what the last turn that names it says of the run by then. */
export function diffsOfRun(run: RunRow): DiffColumns {
  const facts = sql`coalesce(t.whole_facts, t.facts)`
  const isLast = sql`not exists (
    select 1 from turn_diffs later where later.run_id = t.run_id and later.path = t.path and later.n > t.n)`
  return {
    where: sql`t.run_id = ${run.id} and ${isThere(facts)} and ${isLast}`,
    facts,
    document: sql`case when t.whole_facts is null then t.document_id else t.whole_document_id end`,
  }
}

/** A file, or a folder with `/` at its end, without `./` at its start. */
export const placeIn = (path: string | undefined) => path && (pathFrom(path) ?? path)

/** A file, or all below a folder. `0` comes right after `/`. */
export const isWithin = (column: string, path: string): Sql =>
  path.endsWith('/')
    ? sql`${raw(column)} > ${path} and ${raw(column)} < ${`${path.slice(0, -1)}0`}`
    : sql`${raw(column)} = ${path}`

/** The files with what their diffs say happened to them. */
export async function withStatus(
  { db }: Ctx,
  { where, facts }: DiffColumns,
  files: ChangedFile[],
): Promise<ChangedFile[]> {
  const known = new Map<string, Pick<ChangedFile, 'status' | 'mode'>>()
  for (const some of piecesOf(files.map(({ path }) => path))) {
    const rows = await db.query<{ path: string; facts: string }>(sql`
      select t.path, ${facts} as facts from turn_diffs t where ${where} and t.path in (${listOf(some)})`)
    for (const { path, facts } of rows) {
      const { status, mode } = JSON.parse(facts) as FileChange
      known.set(path, { status, ...(mode && { mode }) })
    }
  }
  return files.map((file) => ({ ...file, ...known.get(file.path) }))
}
