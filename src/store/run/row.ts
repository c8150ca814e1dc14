import sql, { empty, type Sql } from 'sql-template-tag'
import { ConductError } from '../../api/error.ts'
import type { Run } from '../../api/run.ts'
import type { Changes } from '../../ledger/event.ts'
import type { RunState } from '../../ledger/run.ts'
import type { Ctx } from '../ctx.ts'
import { record } from '../log/record.ts'

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
  labels: string
  location: string | null
  git: string | null
  changes: string | null
  links: string
  model: string | null
  input_tokens: number | null
  output_tokens: number | null
  cost_usd: number | null
  failure: string | null
  retry_of_run: string | null
  attempt: number
  verdict: Run['verdict']
  evidence: Run['evidence']
  work_version: number
  lease_expires_at: string | null
  lease_token: string | null
  lease_seconds: number | null
  last_seen_at: string | null
  started_at: string | null
  ended_at: string | null
  created_at: string
  updated_at: string
  created_by: number
  version: number
}

/** The columns of `runs` that make a RunRow. */
export const columns = sql`runs.id, runs.project_id, runs.run_id, runs.title,
  runs.spec_id, runs.spec_version, runs.status, runs.document_id, runs.agent, runs.labels, runs.location, runs.git, runs.changes, runs.links, runs.model,
  runs.input_tokens, runs.output_tokens, runs.cost_usd, runs.failure,
  case when runs.retry_of is null then null else (select o.run_id from runs o where o.id = runs.retry_of) end as retry_of_run, runs.attempt, runs.verdict, runs.evidence, runs.work_version,
  runs.lease_expires_at, runs.lease_token, runs.lease_seconds, runs.last_seen_at, runs.started_at, runs.ended_at, runs.created_at, runs.updated_at, runs.created_by, runs.version`

const parsed = (json: string | null) => (json === null ? null : JSON.parse(json))
const written = (value: object | null) => (value === null ? null : JSON.stringify(value))

const labelsOf = ({ labels }: RunRow) => (labels === '{}' ? {} : JSON.parse(labels))
const linksOf = ({ links }: RunRow) => (links === '[]' ? [] : JSON.parse(links))

/** Usage has columns of its own, for sums; a null there says that the field was not given. */
function usageOf({ model, input_tokens, output_tokens, cost_usd }: RunRow): Run['usage'] {
  if (model === null && input_tokens === null && output_tokens === null && cost_usd === null) return null
  return {
    ...(model !== null && { model }),
    ...(input_tokens !== null && { inputTokens: input_tokens }),
    ...(output_tokens !== null && { outputTokens: output_tokens }),
    ...(cost_usd !== null && { costUsd: cost_usd }),
  }
}

/** The columns that carry a state. */
export function valuesOf(state: RunState) {
  return {
    title: state.title,
    spec_id: state.specId,
    status: state.status,
    agent: state.agent,
    labels: written(state.labels),
    location: written(state.where),
    git: written(state.git),
    changes: written(state.changes),
    links: written(state.links),
    model: state.usage?.model ?? null,
    input_tokens: state.usage?.inputTokens ?? null,
    output_tokens: state.usage?.outputTokens ?? null,
    cost_usd: state.usage?.costUsd ?? null,
    failure: written(state.failure),
    started_at: state.startedAt,
    ended_at: state.endedAt,
  }
}

/** A row as a run of the project of that slug. Written out field by field: lists make a page of these for every request. */
export function runOf(row: RunRow, project: string): Run {
  return {
    id: row.id,
    project,
    runId: row.run_id,
    title: row.title,
    specId: row.spec_id,
    specVersion: row.spec_version,
    status: row.status,
    agent: row.agent,
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
    leaseExpiresAt: row.lease_expires_at,
    lastSeenAt: row.last_seen_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }
}

export function stateOf(row: RunRow): RunState {
  const { title, specId, status, agent, labels, where, git, changes, links, usage, failure, startedAt, endedAt } =
    runOf(row, '')
  return { title, specId, status, agent, labels, where, git, changes, links, usage, failure, startedAt, endedAt }
}

/** What the log says of a run that is made or goes: its state, and what other operations or Conduct itself set. */
export function factsOf(row: RunRow) {
  const { specVersion, retryOf, attempt, verdict, evidence, leaseExpiresAt } = runOf(row, '')
  const first = { attempt: attempt === 1 ? null : attempt, verdict: verdict === 'unchecked' ? null : verdict }
  return { ...stateOf(row), specVersion, retryOf, ...first, evidence, leaseExpiresAt }
}

/** The run of that id in the caller's project. NOT_FOUND when there is none. */
export async function requireRun(ctx: Ctx, runId: string, lock: Sql = empty): Promise<RunRow> {
  const [row] = await ctx.db.query<RunRow>(sql`
    select ${columns} from runs where runs.project_id = ${ctx.project.id} and runs.run_id = ${runId} ${lock}`)
  if (!row) throw noRun(ctx, runId)
  return row
}

export const noRun = (ctx: Ctx, runId: string) =>
  new ConductError('NOT_FOUND', `There is no run '${runId}' in project '${ctx.project.slug}'.`)

export function recordRun(
  ctx: Ctx,
  what: 'created' | 'updated' | 'deleted',
  row: { id: number; run_id: string },
  changes: Changes,
  isAppend = false,
) {
  return record(ctx, {
    type: `run.${what}`,
    subject: row.run_id,
    subjectId: row.id,
    projectId: ctx.project.id,
    changes,
    isAppend,
  })
}
