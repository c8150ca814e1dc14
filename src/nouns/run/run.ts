import sql from 'sql-template-tag'
import { ConductError, invalid } from '../../contract/error.ts'
import { insertUnder } from '../../frame/counter.ts'
import { type Ctx, inTx, madeAt, type Operation, personIn, requireVersion } from '../../frame/ctx.ts'
import {
  contentChange,
  deleteDocuments,
  digestOf,
  documentText,
  insertDocument,
  requireFitting,
} from '../../frame/document.ts'
import { requireGone } from '../../frame/remains.ts'
import { inserted } from '../../frame/stored.ts'
import { appeared } from '../../log/event.ts'
import { moveTotals } from '../spec/totals.ts'
import { findSpecVersion } from '../spec/version.ts'
import { turnsIn } from './append-turn.ts'
import { keepAttention } from './attention/keep.ts'
import { emptyRun, shownFeatures } from './fields.ts'
import { cancelled } from './lease.ts'
import { personHash } from './person.ts'
import type { RunRoutes } from './routes.ts'
import { columns, factsOf, noRun, type RunRow, recordRun, requireRun, shownRun, valuesOf } from './row.ts'
import { insertFinders, saveRun } from './save.ts'
import { change, type RunState } from './state.ts'
import { grant, leaseAfter, openRun, statusUnder } from './take-lease.ts'

/**
 * Throws CONFLICT if the runId is taken; NOT_FOUND for an unknown `retryOf`; FORBIDDEN for a createdAt without admin.
 */
export const createRun: Operation<RunRoutes['createRun']> = async (
  ctx,
  { runId, content = '', retryOf, leaseSeconds, leaseToken, createdAt, required, ...fields },
) => {
  requireFitting(ctx, content)
  if (leaseToken !== undefined && leaseSeconds === undefined) {
    throw invalid('leaseToken', 'goes with leaseSeconds: it proposes the token of a lease')
  }
  const status = statusUnder(leaseSeconds, fields.status)
  const at = madeAt(ctx, createdAt)
  const state = change(emptyRun, { ...fields, status, content }, ctx.now, at)
  const digest = digestOf(content)
  const granted = leaseSeconds === undefined ? undefined : grant(ctx.now, leaseSeconds, leaseToken)
  return inTx(ctx, async (ctx) => {
    const retried = retryOf === undefined ? undefined : await requireRun(ctx, retryOf, ctx.db.dialect.forUpdate)
    // Independent statements are sent together.
    const [spec_version, document_id] = await Promise.all([
      findSpecVersion(ctx, state),
      // Before claiming an id, because from then on other writers of the project wait.
      insertDocument(ctx, content, digest),
    ])
    const more = {
      created_at: at,
      ...granted?.columns,
      ...(granted && { recorder_token: granted.columns.lease_token }),
      ...(required?.length && { required: JSON.stringify(required) }),
      author_person: personHash(state.author),
      creator_person: personHash(personIn(ctx)),
      judged: 1,
      ...(granted && { last_seen_at: ctx.now }),
      ...(retried && { retry_of: retried.id, attempt: retried.attempt + 1 }),
      spec_version,
      document_id,
    }
    const row = await insertUnder(ctx, 'run', runId, (id) => insertRun(ctx, id, state, more))
    if (!row)
      throw new ConductError(
        'CONFLICT',
        `The run '${runId}' exists: PATCH it, or leave out runId to get the next free one.`,
      )
    if (runId !== undefined) await requireGone(ctx, 'run', runId)
    const changes = appeared({ ...factsOf(row), content: digest, createdAt })
    const [run] = await Promise.all([
      shownRun(ctx, row),
      insertFinders(ctx, row, state, granted !== undefined),
      moveTotals(ctx, null, row),
      recordRun(ctx, 'created', row, changes, { isImported: createdAt !== undefined }),
    ])
    await keepAttention(ctx, null, row)
    return { run, lease: granted?.lease }
  })
}

async function insertRun(
  ctx: Ctx,
  runId: string,
  state: RunState,
  more: Record<string, unknown>,
): Promise<RunRow | undefined> {
  const values = {
    project_id: ctx.project.id,
    run_id: runId,
    created_by: ctx.actor.id,
    updated_by: ctx.actor.id,
    updated_at: ctx.now,
    ...valuesOf(state),
    ...more,
  }
  const [row] = await ctx.db.query<RunRow>(sql`
    insert into runs ${inserted(values)}
    on conflict do nothing returning ${columns}`)
  return row
}

/** Throws NOT_FOUND if the project has no run with that id. */
export const getRun: Operation<RunRoutes['getRun']> = async (ctx, { runId }) => {
  const [row] = await ctx.db.query<
    RunRow & { content: string | null; features: number; turn: number | null; open: number }
  >(sql`
    select ${columns}, ${documentText(sql`runs.document_id`)} as content,
      (select count(*) from run_features l where l.run_id = runs.id) as features,
      (select max(t.n) from turns t where t.run_id = runs.id) as turn,
      (select count(*) from open_turns o where o.run_id = runs.id) as open
    from runs where runs.project_id = ${ctx.project.id} and runs.run_id = ${runId}`)
  if (!row) throw noRun(ctx, runId)
  const features = row.features === 0 ? [] : await featuresOf(ctx, row.id)
  const omitted = row.features - shownFeatures
  const turns = await turnsIn(ctx, row, row.turn, row.open > 0)
  const more = { content: row.content ?? '', features, ...(omitted > 0 && { featuresOmitted: omitted }), turns }
  return { run: { ...(await shownRun(ctx, row)), ...more } }
}

/** The oldest features of a run, by their numbers. */
async function featuresOf(ctx: Ctx, runRow: number) {
  const features = await ctx.db.query<{ id: number; name: string }>(sql`
    select f.number as id, f.name from (
      select feature_id from run_features where run_id = ${runRow} order by feature_id limit ${shownFeatures}) as l
    join features f on f.id = l.feature_id where f.project_id = ${ctx.project.id}`)
  return features.sort((a, b) => a.id - b.id)
}

/**
 * Throws FORBIDDEN for an agent key on another's run; PRECONDITION_FAILED if `ifVersion` is outdated; LEASE_HELD and
 * LEASE_LOST as for any change of a leased run, except that a key with write may end it without the token; NOT_FOUND.
 */
export const updateRun: Operation<RunRoutes['updateRun']> = async (
  ctx,
  { runId, ifVersion, leaseToken, leaseSeconds, touched, ...given },
) => {
  if (given.content !== undefined) requireFitting(ctx, given.content)
  const status = statusUnder(leaseSeconds, given.status)
  const beside = Object.keys(given).filter((field) => field !== 'status' && field !== 'failure')
  const end = given.status === 'failed' ? { beside } : undefined
  return inTx(ctx, async (ctx) => {
    const opened = await openRun(ctx, runId, leaseToken, { end, proposes: Boolean(leaseSeconds) })
    const { row, base, holds } = opened
    requireVersion(ifVersion, row.id, row.version)
    const isCancelled = row.lease_expires_at !== null && !holds
    const patch = { ...given, status, ...(isCancelled && { failure: given.failure ?? cancelled }) }
    const after = change(base, patch, ctx.now)
    const content = await replaceContent(ctx, row, given.content)
    const { columns: lease, lease: shownLease } = leaseAfter(ctx, opened, after, leaseSeconds, leaseToken)
    const saved = await saveRun(ctx, { ...opened, after, lease, content, isTouched: touched })
    if (content) await deleteDocuments(ctx, [row.document_id])
    return { run: await shownRun(ctx, saved), lease: shownLease }
  })
}

/** Stores a new content; undefined if none is given or it is the same. The caller deletes the old one. */
async function replaceContent(ctx: Ctx, row: RunRow, content: string | undefined) {
  const changes = await contentChange(ctx, row.document_id, content)
  if (!changes) return undefined
  return { changes, documentId: await insertDocument(ctx, content ?? '', changes[1]), isReplaced: true }
}
