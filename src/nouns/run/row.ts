import sql, { empty, type Sql } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { parsed, type RowOf } from '../../contract/stored.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { columnsOf, factReader, stateReader, stateWriter } from '../../frame/stored.ts'
import { actorsOf } from '../../log/actor.ts'
import type { Changes } from '../../log/event.ts'
import { type NewEvent, record } from '../../log/record.ts'
import { type Run, rowFields, runFields, runOf, usageOf } from './fields.ts'
import type { RunState } from './state.ts'

export type RunRow = RowOf<typeof rowFields>

/** The columns of a RunRow. */
export const columns = columnsOf('runs', rowFields, {
  retry_of_run: sql`case when runs.retry_of is null then null else (select o.run_id from runs o where o.id = runs.retry_of) end`,
})

const usageColumns = (usage: Run['usage']) => ({
  model: usage?.model ?? null,
  input_tokens: usage?.inputTokens ?? null,
  output_tokens: usage?.outputTokens ?? null,
  cache_read_tokens: usage?.cacheReadTokens ?? null,
  cache_write_tokens: usage?.cacheWriteTokens ?? null,
  cost_usd: usage?.costUsd ?? null,
  cost_source: usage?.costSource ?? null,
})

const columnsOfState = stateWriter(runFields)

/** The columns of a state. */
export const valuesOf = (state: RunState) => ({
  ...columnsOfState(state),
  ...usageColumns(state.usage),
  // The columns that lists search by.
  branch: state.git?.branch ?? null,
  session: state.where?.session ?? null,
  commit_tree: state.git?.commitTree ?? null,
  uncommitted_tree: (state.git?.uncommitted?.count && state.git.tree) || null,
})

export const stateOf = stateReader<RunState>(runFields, { usage: usageOf })

const otherFacts = factReader(runFields)

/** What the log records about a new or deleted run: its state, and what other operations or Conduct itself set. */
export const factsOf = (row: RunRow) => ({ ...stateOf(row), ...otherFacts(row) })

/** The runs of some rows, as responses show them. `slugOf` returns the slug of a project by its number. */
export async function shownRuns(ctx: Ctx, rows: RunRow[], slugOf = (_id: number) => ctx.project.slug): Promise<Run[]> {
  const actors = await actorsOf(
    ctx,
    rows.flatMap((row) => [row.created_by, row.updated_by]),
  )
  return rows.map((row) => runOf(row, slugOf(row.project_id), actors))
}

/** The run of a row in the caller's project, as responses show it. */
export async function shownRun(ctx: Ctx, row: RunRow): Promise<Run> {
  return runOf(row, ctx.project.slug, await actorsOf(ctx, [row.created_by, row.updated_by]))
}

/** The names of the checks that a run must pass. */
export const requiredIn = ({ required }: Pick<RunRow, 'required'>): string[] | null => parsed(required)

/** The stored activity of a run. */
export const activityIn = ({ activity }: RunRow): Run['activity'] => parsed(activity)

/** The run with that id in the caller's project. Throws NOT_FOUND if there is none. */
export async function requireRun(ctx: Ctx, runId: string, lock: Sql = empty): Promise<RunRow> {
  const [row] = await ctx.db.query<RunRow>(sql`
    select ${columns} from runs where runs.project_id = ${ctx.project.id} and runs.run_id = ${runId} ${lock}`)
  if (!row) throw noRun(ctx, runId)
  return row
}

export const noRun = (ctx: Ctx, runId: string) =>
  new ConductError('NOT_FOUND', `There is no run '${runId}' in project '${ctx.project.slug}'.`)

type What = 'created' | 'updated' | 'deleted' | 'rejudged' | 'waiting' | 'idle'

/** The event of a change of a run. */
export const eventOf = (
  ctx: Ctx,
  what: What,
  { id: subjectId, run_id: subject }: { id: number; run_id: string },
  changes: Changes,
): NewEvent => ({ type: `run.${what}`, subject, subjectId, projectId: ctx.project.id, changes })

export const recordRun = (
  ctx: Ctx,
  what: What,
  row: { id: number; run_id: string },
  changes: Changes,
  is: Pick<NewEvent, 'isAppend' | 'isImported'> = {},
) => record(ctx, { ...eventOf(ctx, what, row, changes), ...is })
