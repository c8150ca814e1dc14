import sql, { empty, type Sql } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import type { ActorName } from '../../contract/field.ts'
import type { RowOf } from '../../contract/stored.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { columnsOf, factReader, parsed, stateReader, stateWriter } from '../../frame/stored.ts'
import { actorsOf } from '../../log/actor.ts'
import type { Changes } from '../../log/event.ts'
import { type Change, record } from '../../log/record.ts'
import { type Run, rowFields, runFields } from './fields.ts'
import type { RunState } from './state.ts'
import { sentenceOfNothing } from './verdict/sentence.ts'

export type RunRow = RowOf<typeof rowFields>

/** The columns of a RunRow. */
export const columns = columnsOf('runs', rowFields, {
  retry_of_run: sql`case when runs.retry_of is null then null else (select o.run_id from runs o where o.id = runs.retry_of) end`,
})

/** Usage has its own columns, for sums. Null means that the field was not given. */
function usageOf(row: RunRow): Run['usage'] {
  const { model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd, cost_source } = row
  const usage = {
    ...(model !== null && { model }),
    ...(input_tokens !== null && { inputTokens: input_tokens }),
    ...(output_tokens !== null && { outputTokens: output_tokens }),
    ...(cache_read_tokens !== null && { cacheReadTokens: cache_read_tokens }),
    ...(cache_write_tokens !== null && { cacheWriteTokens: cache_write_tokens }),
    ...(cost_usd !== null && { costUsd: cost_usd }),
    ...(cost_source !== null && { costSource: cost_source }),
  }
  return Object.keys(usage).length === 0 ? null : usage
}

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

/** Field by field for speed: lists build a page of these for every request. */
function runOf(row: RunRow, project: string, actors: ReadonlyMap<number, ActorName>): Run {
  return {
    id: row.id,
    project,
    runId: row.run_id,
    title: row.title,
    specId: row.spec_id,
    specVersion: row.spec_version,
    status: row.status,
    agent: row.agent,
    author: row.author,
    command: row.command,
    exitCode: row.exit_code,
    contentType: row.content_type ?? 'text/markdown',
    labels: parsed(row.labels),
    where: parsed(row.location),
    git: parsed(row.git),
    changes: parsed(row.changes),
    links: parsed(row.links),
    usage: usageOf(row),
    failure: parsed(row.failure),
    retryOf: row.retry_of_run,
    attempt: row.attempt,
    verdict: row.verdict,
    evidence: row.evidence,
    why: whyOf(row),
    required: requiredIn(row),
    activity: parsed(row.activity),
    leaseExpiresAt: row.lease_expires_at,
    lastSeenAt: row.last_seen_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    createdBy: actors.get(row.created_by) as ActorName,
    updatedBy: actors.get(row.updated_by) as ActorName,
    version: row.version,
    ...(row.judged === rejudgedByUpgrade && { rejudged: true as const }),
    ...(row.erased_at !== null && { erasedAt: row.erased_at }),
  }
}

/** The value of `judged` for a run whose verdict an upgrade changed last. */
export const rejudgedByUpgrade = 2

/** The names of the checks that a run must pass. */
export const requiredIn = ({ required }: Pick<RunRow, 'required'>): string[] | null => parsed(required)

/** The verdict in a sentence. Without checks it is not stored. */
const whyOf = (row: RunRow): string | null =>
  row.why ?? (row.verdict === 'unchecked' ? sentenceOfNothing(requiredIn(row) ?? []) : null)

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

type What = 'created' | 'updated' | 'deleted' | 'rejudged'

/** The event of a change of a run. */
export const eventOf = (
  ctx: Ctx,
  what: What,
  { id: subjectId, run_id: subject }: { id: number; run_id: string },
  changes: Changes,
): Change => ({ type: `run.${what}`, subject, subjectId, projectId: ctx.project.id, changes })

export const recordRun = (
  ctx: Ctx,
  what: What,
  row: { id: number; run_id: string },
  changes: Changes,
  is: Pick<Change, 'isAppend' | 'isImported'> = {},
) => record(ctx, { ...eventOf(ctx, what, row, changes), ...is })
