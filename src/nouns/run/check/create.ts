import sql from 'sql-template-tag'
import { ConductError, invalid } from '../../../contract/error.ts'
import type { InputOf } from '../../../contract/route.ts'
import { insertUnder } from '../../../frame/counter.ts'
import { type Ctx, inTx, madeAt, type Operation, personIn } from '../../../frame/ctx.ts'
import { digestOf, insertDocument, requireFitting } from '../../../frame/document.ts'
import { requireGone } from '../../../frame/remains.ts'
import { inserted } from '../../../frame/stored.ts'
import { appeared } from '../../../log/event.ts'
import { tokenHash } from '../lease.ts'
import { personHash } from '../person.ts'
import { type RunRow, requireRun } from '../row.ts'
import { definedOf } from '../state.ts'
import { isRecorderOf } from '../take-lease.ts'
import type { Git } from '../work-fields.ts'
import { runsOfCommit } from './by-commit.ts'
import { type Check, emptyCheck } from './fields.ts'
import type { CheckRoutes } from './routes.ts'
import {
  type CheckRow,
  type CheckState,
  columns,
  factsOf,
  recordCheck,
  requireAgreement,
  shownChecks,
  stateOf,
  valuesOf,
} from './row.ts'
import { settle } from './settle.ts'

/**
 * Records a check of a run, or of each run that a commit belongs to. Throws NOT_FOUND for an unknown run, and for a commit
 * without one; FORBIDDEN for a recorder without the token of the run; CONFLICT if the checkId is taken; VALIDATION_ERROR if
 * the exit code contradicts the result.
 */
export const createCheck: Operation<CheckRoutes['createCheck']> = async (
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
    // A transaction does not pause.
    const checks = await shownChecks(ctx, rows, async () => {})
    return { check: checks[0] as Check, checks }
  })
}

type Given = Omit<InputOf<CheckRoutes['createCheck']>, 'checkId' | 'runId' | 'content' | 'createdAt' | 'leaseToken'>

const newState = (given: Given): CheckState => ({ ...emptyCheck, ...definedOf(given) })

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
      insert into checks ${inserted({ check_id: id, ...values })}
      on conflict do nothing returning ${columns}`)
    return row
  })
  if (row) return row
  if (checkId !== undefined) await requireGone(ctx, 'check', checkId)
  throw new ConductError('CONFLICT', `The check '${checkId}' exists: leave out checkId to get the next free one.`)
}

const stamps = (ctx: Ctx, createdAt: string) => ({
  created_by: ctx.actor.id,
  updated_by: ctx.actor.id,
  created_at: createdAt,
  updated_at: ctx.now,
})
