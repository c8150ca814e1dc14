import sql, { empty, type Sql } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import type { ActorName } from '../../contract/field.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { actorsOf } from '../../log/actor.ts'
import type { Changes } from '../../log/event.ts'
import { type Change, record } from '../../log/record.ts'
import type { Run } from './fields.ts'
import type { RunState } from './state.ts'
import { sentenceOfNothing } from './verdict/sentence.ts'

export interface RunRow {
  id: number
  project_id: number
  run_id: string
  title: string | null
  spec_id: string | null
  spec_version: number | null
  status: Run['status']
  document_id: number | null
  agent: string | null
  author: string | null
  command: string | null
  exit_code: number | null
  content_type: Run['contentType'] | null
  labels: string
  location: string | null
  session: string | null
  branch: string | null
  git: string | null
  changes: string | null
  links: string
  model: string | null
  input_tokens: number | null
  output_tokens: number | null
  cache_read_tokens: number | null
  cache_write_tokens: number | null
  cost_usd: number | null
  cost_source: 'reported' | 'estimated' | null
  failure: string | null
  retry_of_run: string | null
  attempt: number
  verdict: Run['verdict']
  evidence: Run['evidence']
  why: string | null
  required: string | null
  judged: number
  author_person: string | null
  creator_person: string | null
  recorder_token: string | null
  work_version: number
  activity: string | null
  lease_expires_at: string | null
  lease_token: string | null
  lease_seconds: number | null
  last_seen_at: string | null
  started_at: string | null
  ended_at: string | null
  created_at: string
  updated_at: string
  created_by: number
  updated_by: number
  version: number
  erased_at: string | null
}

/** The columns of a RunRow. */
export const columns = sql`runs.id, runs.project_id, runs.run_id, runs.title, runs.spec_id, runs.spec_version, runs.status,
  runs.document_id, runs.agent, runs.author, runs.command, runs.exit_code, runs.content_type, runs.labels, runs.location,
  runs.session, runs.branch, runs.git, runs.changes, runs.links, runs.model, runs.input_tokens, runs.output_tokens, runs.cache_read_tokens,
  runs.cache_write_tokens, runs.cost_usd, runs.cost_source, runs.failure,
  case when runs.retry_of is null then null else (select o.run_id from runs o where o.id = runs.retry_of) end as retry_of_run,
  runs.attempt, runs.verdict, runs.evidence, runs.why, runs.required, runs.judged,
  runs.author_person, runs.creator_person, runs.recorder_token, runs.work_version, runs.activity, runs.lease_expires_at, runs.lease_token,
  runs.lease_seconds, runs.last_seen_at, runs.started_at, runs.ended_at, runs.created_at, runs.updated_at, runs.created_by,
  runs.updated_by, runs.version, runs.erased_at`

const parsed = (json: string | null) => (json === null ? null : JSON.parse(json))
const written = (value: object | null) => (value === null ? null : JSON.stringify(value))

const labelsOf = ({ labels }: RunRow) => (labels === '{}' ? {} : JSON.parse(labels))
const linksOf = ({ links }: RunRow) => (links === '[]' ? [] : JSON.parse(links))

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

/** The columns of a state. */
export function valuesOf(state: RunState) {
  const { usage } = state
  return {
    title: state.title,
    spec_id: state.specId,
    status: state.status,
    agent: state.agent,
    author: state.author,
    command: state.command,
    exit_code: state.exitCode,
    content_type: state.contentType === 'text/markdown' ? null : state.contentType,
    labels: written(state.labels),
    location: written(state.where),
    git: written(state.git),
    changes: written(state.changes),
    links: written(state.links),
    model: usage?.model ?? null,
    input_tokens: usage?.inputTokens ?? null,
    output_tokens: usage?.outputTokens ?? null,
    cache_read_tokens: usage?.cacheReadTokens ?? null,
    cache_write_tokens: usage?.cacheWriteTokens ?? null,
    cost_usd: usage?.costUsd ?? null,
    cost_source: usage?.costSource ?? null,
    failure: written(state.failure),
    started_at: state.startedAt,
    ended_at: state.endedAt,
    // The columns that lists search by.
    branch: state.git?.branch ?? null,
    session: state.where?.session ?? null,
    commit_tree: state.git?.commitTree ?? null,
  }
}

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
    labels: labelsOf(row),
    where: parsed(row.location),
    git: parsed(row.git),
    changes: parsed(row.changes),
    links: linksOf(row),
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

export function stateOf(row: RunRow): RunState {
  return {
    title: row.title,
    specId: row.spec_id,
    status: row.status,
    agent: row.agent,
    author: row.author,
    command: row.command,
    exitCode: row.exit_code,
    contentType: row.content_type ?? 'text/markdown',
    labels: labelsOf(row),
    where: parsed(row.location),
    git: parsed(row.git),
    changes: parsed(row.changes),
    links: linksOf(row),
    usage: usageOf(row),
    failure: parsed(row.failure),
    startedAt: row.started_at,
    endedAt: row.ended_at,
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

/** What the log records about a new or deleted run: its state, and what other operations or Conduct itself set. */
export function factsOf(row: RunRow) {
  return {
    ...stateOf(row),
    contentType: row.content_type,
    specVersion: row.spec_version,
    retryOf: row.retry_of_run,
    attempt: row.attempt === 1 ? null : row.attempt,
    verdict: row.verdict === 'unchecked' ? null : row.verdict,
    evidence: row.evidence,
    why: row.why,
    required: requiredIn(row),
    leaseExpiresAt: row.lease_expires_at,
  }
}

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
