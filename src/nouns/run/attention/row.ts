import sql from 'sql-template-tag'
import type { ActorName } from '../../../contract/field.ts'
import { parsed, type RowOf } from '../../../contract/stored.ts'
import type { Ctx } from '../../../frame/ctx.ts'
import { listOf, piecesOf } from '../../../frame/pieces.ts'
import { columnsOf } from '../../../frame/stored.ts'
import { actorsOf } from '../../../log/actor.ts'
import { type Changes, vanished } from '../../../log/event.ts'
import { type NewEvent, record, recordAll } from '../../../log/record.ts'
import { type Run, whyOf } from '../fields.ts'
import { type Attention, rowFields } from './fields.ts'

/** The columns of a row without those of its run. */
export type AttentionColumns = RowOf<typeof rowFields>

export interface AttentionRow extends AttentionColumns {
  /** The number of its run. */
  id: number
  /** The id of its run. */
  run_id: string
  project_id: number
}

const own = columnsOf('attention', rowFields)

/** The columns of an AttentionRow, of one row of `attention`. */
export const columns = sql`attention.run_id as id, attention.project_id, (select o.run_id from runs o where o.id = attention.run_id) as run_id, ${own}`

/** What a list shows of a run. */
export type ShownRow = AttentionRow &
  Pick<Run, 'title' | 'agent' | 'author' | 'status' | 'verdict' | 'why'> & {
    slug: string
    required: string | null
    failure: string | null
    exit_code: number | null
    run_created_at: string
    ended_at: string | null
  }

/** The columns of a ShownRow, of `attention` and `runs`, with its place in a list. */
export const shownColumns = sql`attention.run_id as id, attention.since_at as created_at, attention.project_id, runs.run_id,
  ${own}, (select p.slug from projects p where p.id = attention.project_id) as slug, runs.title,
  runs.agent, runs.author, runs.status, runs.verdict, runs.why, runs.required, runs.failure, runs.exit_code,
  runs.created_at as run_created_at, runs.ended_at`

/** The rows of these runs, as responses show them. */
export async function shownRows(ctx: Ctx, rows: readonly ShownRow[]): Promise<Attention[]> {
  const actors = await actorsOf(
    ctx,
    rows.flatMap(({ resolved_by }) => resolved_by ?? []),
  )
  return rows.map((row) => ({
    id: row.id,
    project: row.slug,
    runId: row.run_id,
    reason: row.reason,
    check: row.check_name,
    state: row.state,
    since: row.since_at,
    specId: row.spec_id,
    branch: row.branch,
    assignee: row.assignee,
    until: row.put_off_until,
    resolvedAt: row.resolved_at,
    resolvedBy: row.resolved_by === null ? null : (actors.get(row.resolved_by) as ActorName),
    note: row.note,
    updatedAt: row.updated_at,
    run: {
      title: row.title,
      agent: row.agent,
      author: row.author,
      status: row.status,
      verdict: row.verdict,
      why: whyOf(row),
      failure: parsed(row.failure),
      exitCode: row.exit_code,
      createdAt: row.run_created_at,
      endedAt: row.ended_at,
    },
  }))
}

/** What the log records about a row. The rest follows from its run, and from who acted. */
export const loggedOf = (row: AttentionColumns) => ({
  reason: row.reason,
  check: row.check_name,
  since: row.since_at,
  assignee: row.assignee,
  until: row.put_off_until,
  resolvedAt: row.resolved_at,
  note: row.note,
})

type What = 'created' | 'updated' | 'cleared'

const eventOf = (
  ctx: Ctx,
  what: What,
  { id, run_id }: Pick<AttentionRow, 'id' | 'run_id'>,
  changes: Changes,
): NewEvent => ({
  type: `attention.${what}`,
  subject: run_id,
  subjectId: id,
  projectId: ctx.project.id,
  changes,
})

export const recordAttention = (ctx: Ctx, what: What, row: Pick<AttentionRow, 'id' | 'run_id'>, changes: Changes) =>
  record(ctx, eventOf(ctx, what, row, changes))

/** Takes runs of a project off the list, with an event for each that was on it. */
export async function clearAttention(ctx: Ctx, runs: readonly number[]): Promise<void> {
  for (const some of piecesOf(runs)) {
    const rows = await ctx.db.query<AttentionRow>(
      sql`delete from attention where run_id in (${listOf(some)}) returning ${columns}`,
    )
    await recordAll(
      ctx,
      rows.sort((a, b) => a.id - b.id).map((row) => eventOf(ctx, 'cleared', row, vanished(loggedOf(row)))),
    )
  }
}
