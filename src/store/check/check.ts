import sql, { join, raw } from 'sql-template-tag'
import type { Check } from '../../api/check.ts'
import { ConductError, invalid } from '../../api/error.ts'
import type { Parsed } from '../../api/routes.ts'
import type { Git } from '../../api/work.ts'
import { appeared, type Changes, differences, vanished } from '../../ledger/event.ts'
import { tokenHash } from '../../ledger/lease.ts'
import { personHash } from '../../ledger/person.ts'
import { insertUnder } from '../counter.ts'
import { type Ctx, inTx, madeAt, type Operation, personIn, requireVersion } from '../ctx.ts'
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
import { isRecorderOf } from '../run/lease.ts'
import { type RunRow, recordRun, requireRun } from '../run/row.ts'
import { writeRun } from '../run/save.ts'
import { moveTotals } from '../spec/totals.ts'
import { runsOfCommit } from './by-commit.ts'
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
  const { verdict, evidence, why, ...more } = await findVerdict(ctx, run)
  const before = { verdict: run.verdict, evidence: run.evidence, why: run.why }
  const moved = differences(before, { verdict, evidence, why })
  const saved = await writeRun(ctx, run, { verdict, evidence, why, ...more })
  if (Object.keys(moved).length === 0) return
  await moveTotals(ctx, run, saved)
  await recordRun(ctx, 'updated', run, moved)
}

/**
 * Records a check of a run, or of each run that a commit belongs to. Throws NOT_FOUND for an unknown run, and for a commit
 * without one; FORBIDDEN for a recorder without the token of the run; CONFLICT if the checkId is taken; VALIDATION_ERROR if
 * the exit code contradicts the result.
 */
export const createCheck: Operation<'createCheck'> = async (
  ctx,
  { checkId, runId, content = '', createdAt, leaseToken, ...given },
) => {
  requireFitting(ctx, content)
  const at = madeAt(ctx, createdAt)
  const state = newState(given)
  requireAgreement(state)
  const proof = leaseToken === undefined ? ctx.leaseHash : tokenHash(leaseToken)
  if (state.recorder !== null) requireProof(runId, proof)
  const digest = digestOf(content)
  return inTx(ctx, async (ctx) => {
    const runs =
      runId === undefined ? await runsOfCommit(ctx, state) : [await requireRun(ctx, runId, ctx.db.dialect.forUpdate)]
    const rows: CheckRow[] = []
    for (const run of runs) {
      if (state.recorder !== null) requireRecorder(run, proof)
      const values = {
        ...stamps(ctx, at),
        ...valuesOf(about(state, run)),
        document_id: await insertDocument(ctx, content, digest),
        linked_to: rows[0]?.check_id ?? null,
      }
      const row = await insertCheck(ctx, rows.length === 0 ? checkId : undefined, run, values)
      const changes = appeared({
        ...factsOf(run.run_id, stateOf(row)),
        linkedTo: row.linked_to,
        content: digest,
        createdAt,
      })
      await recordCheck(ctx, 'created', row, changes, createdAt !== undefined)
      await settle(ctx, run)
      rows.push(row)
    }
    const checks = await shownChecks(ctx, rows)
    return { check: checks[0] as Check, checks }
  })
}

type Given = Omit<Parsed<'createCheck'>, 'checkId' | 'runId' | 'content' | 'createdAt' | 'leaseToken'>

const newState = ({ name, result, ...given }: Given): CheckState => ({
  name,
  result,
  command: given.command ?? null,
  exitCode: given.exitCode ?? null,
  durationMs: given.durationMs ?? null,
  contentType: given.contentType ?? 'text/markdown',
  recorder: given.recorder ?? null,
  commit: given.commit ?? null,
  startTree: given.startTree ?? null,
  tree: given.tree ?? null,
  commitTree: given.commitTree ?? null,
  dirty: given.dirty ?? null,
  pipeline: given.pipeline ?? null,
  agent: given.agent ?? null,
})

function requireProof(runId: string | undefined, proof: string | undefined): void {
  if (runId === undefined) throw invalid('recorder', 'needs a runId: a recorder records the checks of its own run')
  if (proof === undefined) {
    throw invalid(
      'recorder',
      'needs the Lease-Token that the recorder received when it created the run: leave it out to claim the result',
    )
  }
}

function requireRecorder(run: RunRow, proof: string | undefined): void {
  if (isRecorderOf(run, proof)) return
  throw new ConductError(
    'FORBIDDEN',
    `This is not the Lease-Token with which the recorder of run '${run.run_id}' created it: leave out recorder to claim the result.`,
  )
}

/** A check that names no state of a repository is about the work of its run at this moment. */
function about(state: CheckState, run: RunRow): CheckState {
  const { tree, startTree, commitTree, commit, recorder } = state
  const git: Git | null = run.git === null ? null : JSON.parse(run.git)
  if (!git || recorder !== null || (tree ?? startTree ?? commitTree ?? commit) !== null) return state
  return { ...state, tree: git.tree ?? null }
}

async function insertCheck(
  ctx: Ctx,
  checkId: string | undefined,
  run: RunRow,
  given: Record<string, unknown>,
): Promise<CheckRow> {
  const values = {
    project_id: ctx.project.id,
    run_id: run.id,
    result_by: ctx.actor.id,
    result_person: personHash(personIn(ctx)),
    work_version: run.work_version,
    ...given,
  }
  const row = await insertUnder(ctx, 'check', checkId, async (id) => {
    const [row] = await ctx.db.query<CheckRow>(sql`
      insert into checks (check_id, ${raw(Object.keys(values).join(', '))}) values (${id}, ${join(Object.values(values))})
      on conflict do nothing returning ${columns}`)
    return row
  })
  if (row) return row
  throw new ConductError('CONFLICT', `The check '${checkId}' exists: leave out checkId to get the next free one.`)
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
    vanished({
      ...factsOf(row.run, stateOf(row)),
      linkedTo: row.linked_to,
      content: digests.get(row.document_id) ?? null,
    })
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
    if (row.recorder !== null) requireNoEvidence(row, patch)
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
      ...(changes.result && {
        result_by: ctx.actor.id,
        result_person: personHash(personIn(ctx)),
        work_version: run.work_version,
      }),
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

/** Throws PRECONDITION_FAILED if `ifVersion` is outdated; NOT_FOUND. */
export const deleteCheck: Operation<'deleteCheck'> = (ctx, { checkId, ifVersion }) =>
  inTx(ctx, async (ctx) => {
    const { row, run } = await openCheck(ctx, checkId)
    requireVersion(ifVersion, row.id, row.version)
    await removeChecks(ctx, [row])
    await settle(ctx, run)
    return { message: 'Check deleted successfully' }
  })
