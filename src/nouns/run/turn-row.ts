import sql, { type Sql } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import type { ActorName } from '../../contract/field.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { documentText } from '../../frame/document.ts'
import { actorsOf } from '../../log/actor.ts'
import type { Changes } from '../../log/event.ts'
import type { NewEvent } from '../../log/record.ts'
import type { RunRow } from './row.ts'
import { later } from './state.ts'
import { turnId } from './turn.ts'
import type { Turn, TurnFields } from './turn-fields.ts'

export interface TurnRow {
  id: number
  n: number
  prompt_id: number | null
  answer_id: number | null
  prompt: string | null
  answer: string | null
  /** All other fields, as JSON. */
  facts: string
  created_by: number
  created_at: string
  erased_at: string | null
}

/** The row of an open turn. What it may gain is among its facts. */
export interface OpenRow
  extends Pick<TurnRow, 'id' | 'n' | 'prompt' | 'facts' | 'created_by' | 'created_at' | 'erased_at'> {
  started_at: string | null
  seen_at: string
}

const columns = sql`turns.id, turns.n, turns.prompt_id, turns.answer_id, ${documentText(sql`turns.prompt_id`)} as prompt,
  ${documentText(sql`turns.answer_id`)} as answer, turns.facts, turns.created_by, turns.created_at, turns.erased_at`

const openColumns = sql`id, n, prompt, facts, started_at, seen_at, created_by, created_at, erased_at`

const readRows = (ctx: Ctx, where: Sql) => ctx.db.query<TurnRow>(sql`select ${columns} from turns where ${where}`)
const readOpenRows = (ctx: Ctx, where: Sql) =>
  ctx.db.query<OpenRow>(sql`select ${openColumns} from open_turns where ${where}`)

async function shownTurns(ctx: Ctx, runId: string, rows: (TurnRow | OpenRow)[]): Promise<Turn[]> {
  const actors = await actorsOf(
    ctx,
    rows.map((row) => row.created_by),
  )
  return rows.map((row) => ({
    id: row.id,
    project: ctx.project.slug,
    runId,
    n: row.n,
    ...(row.prompt !== null && { prompt: row.prompt }),
    ...('seen_at' in row ? openFields(row) : row.answer !== null && { answer: row.answer }),
    ...(JSON.parse(row.facts) as Omit<TurnFields, 'prompt' | 'answer'>),
    createdBy: actors.get(row.created_by) as ActorName,
    createdAt: row.created_at,
    ...(row.erased_at !== null && { erasedAt: row.erased_at }),
  }))
}

const openFields = ({ started_at, seen_at }: OpenRow) => ({
  ...(started_at !== null && { startedAt: started_at }),
  open: true as const,
  seenAt: seen_at,
})

type OfRun = Pick<RunRow, 'id' | 'run_id'>

/** The closed turn with that number. */
export async function findTurn(ctx: Ctx, run: OfRun, n: number): Promise<Turn | undefined> {
  const rows = await readRows(ctx, sql`turns.run_id = ${run.id} and turns.n = ${n}`)
  return (await shownTurns(ctx, run.run_id, rows))[0]
}

/** The open turn of a run. */
export async function findOpenTurn(ctx: Ctx, run: OfRun): Promise<Turn | undefined> {
  return (await shownTurns(ctx, run.run_id, await readOpenRows(ctx, sql`run_id = ${run.id}`)))[0]
}

/** The turns of a run with these ids, closed or open, in their order. */
export async function turnsWith(ctx: Ctx, runId: string, ids: Sql): Promise<Map<number, Turn>> {
  const rows = [...(await readRows(ctx, sql`turns.id in (${ids})`)), ...(await readOpenRows(ctx, sql`id in (${ids})`))]
  return new Map((await shownTurns(ctx, runId, rows)).map((turn) => [turn.id, turn]))
}

export type NextTurn = Pick<TurnRow, 'n' | 'created_at'>

/**
 * The number of the next turn to close, and when it is created: not before the last closed one, whose request may have
 * begun later. The caller has locked the run. Throws CONFLICT if another number is given.
 */
export async function nextTurn(ctx: Ctx, row: OfRun, given: number | undefined): Promise<NextTurn> {
  const [newest] = await ctx.db.query<NextTurn>(
    sql`select n, created_at from turns where run_id = ${row.id} order by n desc limit 1`,
  )
  const next = (newest?.n ?? 0) + 1
  if (given === undefined || given === next) return { n: next, created_at: later(ctx.now, newest?.created_at ?? null) }
  throw new ConductError('CONFLICT', `The next turn of run '${row.run_id}' is ${next}, not ${given}: send that first.`)
}

/** The event of a change of a turn. */
export const eventOf = (
  ctx: Ctx,
  what: 'opened' | 'created' | 'deleted',
  runId: string,
  { id: subjectId, n }: { id: number; n: number },
  changes: Changes,
): NewEvent => ({
  type: `turn.${what}`,
  subject: turnId(runId, n),
  subjectId,
  projectId: ctx.project.id,
  changes,
})

/** The fields with a value; empty texts and lists have none. */
export function filledOf<Fields extends object>(fields: Fields): Fields {
  const isEmpty = (value: unknown) => value === '' || (value instanceof Object && Object.keys(value).length === 0)
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && !isEmpty(value)),
  ) as Fields
}
