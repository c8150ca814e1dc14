import sql, { join, raw } from 'sql-template-tag'
import type { Check } from '../../api/check.ts'
import { ConductError, invalid } from '../../api/error.ts'
import { appeared, type Changes, differences, vanished } from '../../ledger/event.ts'
import { insertUnder } from '../counter.ts'
import { type Ctx, inTx, madeAt, type Operation, requireVersion } from '../ctx.ts'
import {
  deleteDocument,
  deleteDocuments,
  digestOf,
  documentText,
  findDigest,
  findDigests,
  insertDocument,
  isContent,
  requireFitting,
} from '../document.ts'
import { recordAll } from '../log/record.ts'
import { listOf, piecesOf } from '../pieces.ts'
import { type RunRow, recordRun, requireRun } from '../run/row.ts'
import { moveTotals } from '../spec/totals.ts'
import {
  type CheckRow,
  type CheckState,
  columns,
  eventOf,
  factsOf,
  noCheck,
  recordCheck,
  requireAgreement,
  requireCheck,
  shownCheck,
  shownChecks,
  stateOf,
  valuesOf,
} from './row.ts'
import { findVerdict } from './verdict.ts'

/** Updates the verdict of a run from its checks, with an event if it changes. */
async function settle(ctx: Ctx, run: RunRow): Promise<void> {
  const before = { verdict: run.verdict, evidence: run.evidence }
  const after = await findVerdict(ctx, run, run.git === null ? null : JSON.parse(run.git))
  const moved = differences(before, after)
  if (Object.keys(moved).length === 0) return
  await ctx.db.query(sql`update runs set verdict = ${after.verdict}, evidence = ${after.evidence} where id = ${run.id}`)
  await moveTotals(ctx, run, { ...run, ...after })
  await recordRun(ctx, 'updated', run, moved)
}

/**
 * Throws NOT_FOUND for an unknown run, or a commit that no run made or ended on; CONFLICT if the checkId is taken;
 * VALIDATION_ERROR if the exit code contradicts the result.
 */
export const createCheck: Operation<'createCheck'> = async (
  ctx,
  { checkId, runId, content = '', createdAt, name, result, ...fields },
) => {
  requireFitting(ctx, content)
  const at = madeAt(ctx, createdAt)
  const { command = null, exitCode = null, durationMs = null, agent = null } = fields
  const { contentType = 'text/markdown', commit = null, tree = null, dirty = null } = fields
  const state = { name, result, command, exitCode, durationMs, contentType, commit, tree, dirty, agent }
  requireAgreement(state)
  const digest = digestOf(content)
  return inTx(ctx, async (ctx) => {
    const run = await requireRun(ctx, runId ?? (await runOnCommit(ctx, commit)), ctx.db.dialect.forUpdate)
    const values = {
      project_id: ctx.project.id,
      run_id: run.id,
      result_by: ctx.actor.id,
      work_version: run.work_version,
      document_id: await insertDocument(ctx, content, digest),
      ...stamps(ctx, at),
      ...valuesOf(state),
    }
    const row = await insertUnder(ctx, 'check', checkId, async (id) => {
      const [row] = await ctx.db.query<CheckRow>(sql`
        insert into checks (check_id, ${raw(Object.keys(values).join(', '))}) values (${id}, ${join(Object.values(values))})
        on conflict do nothing returning ${columns}`)
      return row
    })
    if (!row)
      throw new ConductError('CONFLICT', `The check '${checkId}' exists: leave out checkId to get the next free one.`)
    const changes = appeared({ ...factsOf(run.run_id, state), content: digest, createdAt })
    await recordCheck(ctx, 'created', row, changes, createdAt !== undefined)
    await settle(ctx, run)
    return { check: await shownCheck(ctx, row) }
  })
}

/**
 * The newest run that made or ended on a commit. Throws NOT_FOUND if there is none; VALIDATION_ERROR for an abbreviated
 * commit id.
 */
async function runOnCommit(ctx: Ctx, commit: string | null): Promise<string> {
  if (commit === null) throw invalid('runId', 'is required where no commit is given to find the run by')
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(commit)) {
    throw invalid('commit', `must be a whole commit id, 40 or 64 of 0-9 a-f, to find a run by, not '${commit}'`)
  }
  const [found] = await ctx.db.query<{ run_id: string }>(sql`
    select r.run_id from run_commits l join runs r on r.id = l.run_id
    where l.project_id = ${ctx.project.id} and l.commit_id = ${commit} order by l.created_at desc, l.run_id desc limit 1`)
  if (found) return found.run_id
  throw new ConductError(
    'NOT_FOUND',
    `No run of project '${ctx.project.slug}' made or ended on commit ${commit}: give a runId, or record the run first.`,
  )
}

const stamps = (ctx: Ctx, createdAt: string) => ({
  created_by: ctx.actor.id,
  updated_by: ctx.actor.id,
  created_at: createdAt,
  updated_at: ctx.now,
})

/**
 * Deletes checks of runs that are being deleted, at most `limit`, with an event for each. Returns how many. The caller has
 * locked the runs.
 */
export async function deleteChecksOf(
  ctx: Ctx,
  runs: { id: number }[],
  limit = Number.MAX_SAFE_INTEGER,
): Promise<number> {
  const rows = await ctx.db.query<CheckRow>(sql`
    select ${columns} from checks where checks.run_id in (${listOf(runs.map(({ id }) => id))})
    order by checks.run_id, checks.created_at, checks.id limit ${limit} ${ctx.db.dialect.forUpdate}`)
  await removeChecks(ctx, rows)
  return rows.length
}

async function removeChecks(ctx: Ctx, rows: CheckRow[]): Promise<void> {
  const documents = rows.map(({ document_id }) => document_id)
  const digests = await findDigests(ctx, documents)
  for (const some of piecesOf(rows)) {
    await ctx.db.query(sql`delete from checks where id in (${listOf(some.map(({ id }) => id))})`)
  }
  await deleteDocuments(ctx, documents)
  const changesOf = (row: CheckRow) =>
    vanished({ ...factsOf(row.run, stateOf(row)), content: digests.get(row.document_id) ?? null })
  await recordAll(
    ctx,
    rows.map((row) => eventOf(ctx, 'deleted', row, changesOf(row))),
  )
}

/** The newest checks of a run. */
export async function checksOfRun(ctx: Ctx, runRow: number, limit: number): Promise<Check[]> {
  const rows = await ctx.db.query<CheckRow>(sql`
    select ${columns} from checks where checks.run_id = ${runRow} order by checks.created_at desc, checks.id desc limit ${limit}`)
  return shownChecks(ctx, rows)
}

/** The check and its run. Locks the run first. */
async function openCheck(ctx: Ctx, checkId: string): Promise<{ run: RunRow; row: CheckRow }> {
  for (;;) {
    const { run: runId } = await requireCheck(ctx, checkId)
    const run = await requireRun(ctx, runId, ctx.db.dialect.forUpdate)
    const row = await requireCheck(ctx, checkId, ctx.db.dialect.forUpdate)
    // Otherwise, the check was deleted meanwhile, and another run has one with its id.
    if (row.run === runId) return { run, row }
  }
}

/** Throws NOT_FOUND if the project has no check with that id. */
export const getCheck: Operation<'getCheck'> = async (ctx, { checkId }) => {
  const [row] = await ctx.db.query<CheckRow & { content: string | null }>(sql`
    select ${columns}, ${documentText(sql`checks.document_id`)} as content from checks
    where checks.project_id = ${ctx.project.id} and checks.check_id = ${checkId}`)
  if (!row) throw noCheck(ctx, checkId)
  return { check: { ...(await shownCheck(ctx, row)), content: row.content ?? '' } }
}

/**
 * Throws FORBIDDEN for a key other than the one that created the check; PRECONDITION_FAILED; VALIDATION_ERROR as in
 * createCheck; NOT_FOUND.
 */
export const updateCheck: Operation<'updateCheck'> = async (ctx, { checkId, ifVersion, content, ...patch }) => {
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
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
    const after: CheckState = { ...before, ...given }
    requireAgreement(after)
    const digests =
      content === undefined ? undefined : { before: await findDigest(ctx, row.document_id), after: digestOf(content) }
    const isReplaced = digests !== undefined && !(await isContent(ctx, row.document_id, digests.before, digests.after))
    const changes: Changes = {
      ...differences(before, after),
      ...(isReplaced && { content: [digests.before, digests.after] }),
    }
    if (Object.keys(changes).length === 0) return { check: await shownCheck(ctx, row) }
    const values = {
      ...valuesOf(after),
      ...(isReplaced && { document_id: await insertDocument(ctx, content ?? '', digests.after) }),
      ...(changes.result && { result_by: ctx.actor.id, work_version: run.work_version }),
      updated_at: ctx.now,
      updated_by: ctx.actor.id,
      version: row.version + 1,
    }
    const assignments = Object.entries(values).map(([field, value]) => sql`${raw(field)} = ${value}`)
    const [changed] = await ctx.db.query<CheckRow>(
      sql`update checks set ${join(assignments)} where id = ${row.id} returning ${columns}`,
    )
    if (isReplaced) await deleteDocument(ctx, row.document_id)
    await recordCheck(ctx, 'updated', row, changes)
    await settle(ctx, run)
    return { check: await shownCheck(ctx, changed as CheckRow) }
  })
}

/** Throws PRECONDITION_FAILED if `ifVersion` is outdated; NOT_FOUND. */
export const deleteCheck: Operation<'deleteCheck'> = (ctx, { checkId, ifVersion }) =>
  inTx(ctx, async (ctx) => {
    const { row, run } = await openCheck(ctx, checkId)
    requireVersion(ifVersion, row.id, row.version)
    await removeChecks(ctx, [row])
    await settle(ctx, run)
    return { message: 'Check deleted successfully' }
  })
