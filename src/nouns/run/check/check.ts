import sql from 'sql-template-tag'
import { ConductError } from '../../../contract/error.ts'
import { type Ctx, inTx, type Operation, personIn, requireVersion } from '../../../frame/ctx.ts'
import {
  contentChange,
  deleteDocuments,
  documentText,
  insertDocument,
  requireFitting,
} from '../../../frame/document.ts'
import { assigned } from '../../../frame/stored.ts'
import { type Changes, differences } from '../../../log/event.ts'
import { personHash } from '../person.ts'
import { type RunRow, requireRun } from '../row.ts'
import { definedOf } from '../state.ts'
import type { CheckRoutes } from './routes.ts'
import {
  type CheckRow,
  type CheckState,
  columns,
  hasRun,
  noCheck,
  recordCheck,
  requireAgreement,
  requireCheck,
  shownCheck,
  stateOf,
  valuesOf,
} from './row.ts'
import { settle } from './settle.ts'

/** The check and its run. Locks the run first. */
export async function openCheck(ctx: Ctx, checkId: string): Promise<{ run: RunRow; row: CheckRow }> {
  for (;;) {
    const { run: runId } = await requireCheck(ctx, checkId)
    const run = await requireRun(ctx, runId, ctx.db.dialect.forUpdate)
    const row = await requireCheck(ctx, checkId, ctx.db.dialect.forUpdate)
    // Otherwise, the check was deleted meanwhile, and another run has one with its id.
    if (row.run === runId) return { run, row }
  }
}

/** Throws NOT_FOUND if the project has no check with that id. */
export const getCheck: Operation<CheckRoutes['getCheck']> = async (ctx, { checkId }) => {
  const [row] = await ctx.db.query<CheckRow & { content: string | null }>(sql`
    select ${columns}, ${documentText(sql`checks.document_id`)} as content from checks
    where checks.project_id = ${ctx.project.id} and checks.check_id = ${checkId} and ${hasRun}`)
  if (!row) throw noCheck(ctx, checkId)
  return { check: { ...(await shownCheck(ctx, row)), content: row.content ?? '' } }
}

/**
 * Throws FORBIDDEN for a key other than the one that created the check; PRECONDITION_FAILED; VALIDATION_ERROR as in
 * createCheck; NOT_FOUND.
 */
export const updateCheck: Operation<CheckRoutes['updateCheck']> = async (
  ctx,
  { checkId, ifVersion, content, ...patch },
) => {
  if (content !== undefined) requireFitting(ctx, content)
  return inTx(ctx, async (ctx) => {
    const { row, run } = await openCheck(ctx, checkId)
    requireVersion(ifVersion, row.id, row.version)
    if (row.created_by !== ctx.actor.id) {
      throw new ConductError(
        'FORBIDDEN',
        `Another key recorded check '${checkId}', and only that key can change it: record another check.`,
      )
    }
    const before = stateOf(row)
    if (row.recorder !== null) {
      requireNoEvidence(row, patch)
      if (content !== undefined) await requireAdded(ctx, row, content)
    }
    const after: CheckState = { ...before, ...definedOf(patch) }
    requireAgreement(after)
    const replaced = await contentChange(ctx, row.document_id, content)
    const changes: Changes = { ...differences(before, after), ...(replaced && { content: replaced }) }
    if (Object.keys(changes).length === 0) return { check: await shownCheck(ctx, row) }
    const values = {
      ...valuesOf(after),
      ...(replaced && { document_id: await insertDocument(ctx, content ?? '', replaced[1]) }),
      ...(changes.result && {
        result_by: ctx.actor.id,
        result_person: personHash(personIn(ctx)),
        work_version: run.work_version,
      }),
      updated_at: ctx.now,
      updated_by: ctx.actor.id,
      version: row.version + 1,
    }
    const [changed] = await ctx.db.query<CheckRow>(
      sql`update checks set ${assigned(values)} where id = ${row.id} returning ${columns}`,
    )
    if (replaced) await deleteDocuments(ctx, [row.document_id])
    await recordCheck(ctx, 'updated', row, changes)
    await settle(ctx, run)
    return { check: await shownCheck(ctx, changed as CheckRow) }
  })
}

/** Throws FORBIDDEN unless the new content of a check that a recorder saw begins with what the recorder noted. */
async function requireAdded(ctx: Ctx, row: CheckRow, content: string): Promise<void> {
  const [noted] = await ctx.db.query<{ content: string | null }>(
    sql`select ${documentText(sql`checks.document_id`)} as content from checks where checks.id = ${row.id}`,
  )
  if (content.startsWith(noted?.content ?? '')) return
  throw new ConductError(
    'FORBIDDEN',
    `A recorder saw check '${row.check_id}', so the content that it noted stays: begin with that, and add to it.`,
  )
}

/** The fields that do not say what ran, on which work and how it ended. */
const remarks = ['durationMs', 'contentType', 'agent']

/** Throws FORBIDDEN for a change of what a recorder saw. */
function requireNoEvidence(row: CheckRow, patch: object): void {
  const changed = Object.entries(patch).filter(([field, value]) => value !== undefined && !remarks.includes(field))
  const [first] = changed[0] ?? []
  if (first === undefined) return
  throw new ConductError(
    'FORBIDDEN',
    `A recorder saw check '${row.check_id}', so its ${first} stays: run the command again, or record another check.`,
  )
}
