import sql, { join, raw } from 'sql-template-tag'
import type { Db, Tx } from '../../../engine/db.ts'
import { systemCtx } from '../../../frame/ctx.ts'
import { listOf, padded } from '../../../frame/pieces.ts'
import { type Changes, differences } from '../../../log/event.ts'
import { recordAll } from '../../../log/record.ts'
import { addToTotals } from '../../spec/totals.ts'
import { lookedAt } from '../attention/keep.ts'
import { clearAttention } from '../attention/row.ts'
import { reasonOf } from '../attention/rule.ts'
import { rejudgedByUpgrade } from '../fields.ts'
import { columns, eventOf, type RunRow } from '../row.ts'
import { verdictIn } from '../save.ts'
import { findVerdicts, type VerdictColumns } from './verdict.ts'

/** How many runs one step derives, in one transaction. */
const atOnce = 100

/**
 * Derives the verdicts of the next few runs of an earlier version again. It continues wherever an earlier call stopped, and
 * any server may call it. Returns whether there may be more.
 */
export async function rejudgeNext(db: Db, now: string): Promise<boolean> {
  const runs = await db.query<{ id: number }>(sql`select id from runs where judged = 0 order by id limit ${atOnce}`)
  if (runs.length === 0) return false
  await db.tx(async (tx) => {
    const rows = await tx.query<RunRow>(sql`
      select ${columns} from runs where runs.id in (${listOf(runs.map(({ id }) => id))}) and runs.judged = 0
      order by runs.id ${tx.dialect.forUpdate}`)
    if (rows.length > 0) await rejudge(tx, rows, now)
  })
  return runs.length === atOnce
}

interface Rejudged {
  row: RunRow
  found: VerdictColumns
  moved: Changes
}

async function rejudge(tx: Tx, rows: RunRow[], now: string): Promise<void> {
  const verdicts = await findVerdicts(systemCtx(tx, now), rows)
  const all = rows.map((row): Rejudged => {
    const { judged, author_person, ...found } = verdicts.get(row.id) as VerdictColumns
    const moved = differences(verdictIn(row), verdictIn({ ...row, ...found }))
    const isMoved = moved.verdict !== undefined || moved.evidence !== undefined
    return { row, found: { ...found, author_person, judged: isMoved ? rejudgedByUpgrade : judged }, moved }
  })
  const [changed, others] = [all.filter(isChanged), all.filter((one) => !isChanged(one))]
  await write(tx, others, ['why', 'author_person'], 1)
  await write(tx, changed, ['why', 'author_person', 'verdict', 'evidence'], rejudgedByUpgrade)
  await recordChanges(tx, changed, now)
  await clearMended(tx, changed, now)
}

const isChanged = ({ found }: Rejudged) => found.judged === rejudgedByUpgrade

/** Writes some columns of runs with one statement. */
async function write(
  tx: Tx,
  all: readonly Rejudged[],
  columns: Exclude<keyof VerdictColumns, 'judged'>[],
  judged: number,
): Promise<void> {
  const { integer } = tx.dialect
  const assignments = columns.map((column, at) => sql`${raw(column)} = column${raw(String(at + 2))}`)
  if (all.length === 0) return
  const values = padded(all).map(({ row, found }) => sql`(${row.id}, ${join(columns.map((column) => found[column]))})`)
  await tx.query(sql`update runs set judged = ${judged}, ${join(assignments)} from (values ${join(values)}) as found
    where runs.id = cast(column1 as ${raw(integer)})`)
}

/** Takes runs off the list of those that need attention that do not by the new rule. It puts none on it. */
async function clearMended(tx: Tx, all: Rejudged[], now: string): Promise<void> {
  const mended = all.filter(({ row, found }) => reasonOf(lookedAt({ ...row, ...found })) === undefined)
  for (const [project, some] of Map.groupBy(mended, ({ row }) => row.project_id)) {
    await clearAttention(
      systemCtx(tx, now, project),
      some.map(({ row }) => row.id),
    )
  }
}

/** Records changed verdicts in the order of their runs, and in the totals of specs. */
async function recordChanges(tx: Tx, all: Rejudged[], now: string): Promise<void> {
  for (const [project, some] of Map.groupBy(all, ({ row }) => row.project_id)) {
    await addToTotals(
      systemCtx(tx, now, project),
      some.flatMap(({ row, found }) => [[row, -1] as const, [{ ...row, ...found }, 1] as const]),
    )
  }
  await recordAll(
    systemCtx(tx, now),
    all.map(({ row, moved }) => eventOf(systemCtx(tx, now, row.project_id), 'rejudged', row, moved)),
  )
}
