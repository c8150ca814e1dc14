import sql, { join, raw } from 'sql-template-tag'
import { ConductError } from '../error.ts'
import { appeared, differences, vanished } from '../event.ts'
import { change, emptyRun, isWork, numberOfRunId, type Run, type RunState, runIdOf } from '../run.ts'
import { claimNumber, moveCounter } from './counter.ts'
import { type Ctx, inTx, keyIdOf, type Operation, requireVersion } from './ctx.ts'
import { type Digest, deleteDocument, digestOf, findDigest, insertDocument, requireFitting } from './document.ts'
import {
  columns,
  noRun,
  type RunRow,
  recordRun,
  requireChangeable,
  requireRun,
  runOf,
  stateOf,
  valuesOf,
} from './run-row.ts'

/** CONFLICT when the runId is taken. */
export const createRun: Operation<'createRun'> = async (ctx, { runId, content = '', ...fields }) => {
  requireFitting(ctx, content)
  const state = change(emptyRun, { ...fields, content }, ctx.now)
  const digest = digestOf(content)
  return inTx(ctx, async (ctx) => {
    // The document first: from the counter on, other writers of the project wait.
    const documentId = await insertDocument(ctx, content, digest)
    const number = runId === undefined ? undefined : numberOfRunId(runId)
    if (number !== undefined) await moveCounter(ctx, 'run', number)
    const row =
      runId === undefined ? await insertNextRun(ctx, state, documentId) : await insertRun(ctx, runId, state, documentId)
    if (!row)
      throw new ConductError(
        'CONFLICT',
        `The run '${runId}' exists: PATCH it, or leave runId out and take the next free one.`,
      )
    await insertLabels(ctx, row, state.labels)
    await recordRun(ctx, 'created', row, appeared({ ...state, content: digest }))
    return { run: runOf(row, ctx.project.slug) }
  })
}

async function insertRun(
  ctx: Ctx,
  runId: string,
  state: RunState,
  documentId: number | null,
): Promise<RunRow | undefined> {
  const values = {
    project_id: ctx.project.id,
    run_id: runId,
    document_id: documentId,
    created_by: keyIdOf(ctx),
    updated_by: keyIdOf(ctx),
    created_at: ctx.now,
    updated_at: ctx.now,
    ...valuesOf(state),
  }
  const [row] = await ctx.db.query<RunRow>(sql`
    insert into runs (${raw(Object.keys(values).join(', '))}) values (${join(Object.values(values))})
    on conflict do nothing returning ${columns}`)
  return row
}

/** Numbers that callers took by hand in another form (`RUN-7` beside `RUN-007`) are passed over. */
async function insertNextRun(ctx: Ctx, state: RunState, documentId: number | null): Promise<RunRow> {
  for (;;) {
    const row = await insertRun(ctx, runIdOf(await claimNumber(ctx, 'run')), state, documentId)
    if (row) return row
  }
}

async function insertLabels(ctx: Ctx, row: RunRow, labels: Run['labels']) {
  const rows = Object.entries(labels).map(
    ([name, value]) => sql`(${row.id}, ${name}, ${value}, ${ctx.project.id}, ${row.created_at})`,
  )
  if (rows.length === 0) return
  await ctx.db.query(sql`insert into run_labels (run_id, name, value, project_id, created_at) values ${join(rows)}`)
}

/** NOT_FOUND when the project has none of that id. */
export const getRun: Operation<'getRun'> = async (ctx, { runId }) => {
  const [row] = await ctx.db.query<RunRow & { content: string | null; is_linked: number | null }>(sql`
    select ${columns},
      (select string_agg(d.text, '' order by d.start) from document_parts d where d.document_id = runs.document_id) as content,
      (select 1 from run_features l where l.run_id = runs.id limit 1) as is_linked
    from runs where runs.project_id = ${ctx.project.id} and runs.run_id = ${runId}`)
  if (!row) throw noRun(ctx, runId)
  const features = row.is_linked === null ? [] : await featuresOf(ctx, row.id)
  return { run: { ...runOf(row, ctx.project.slug), content: row.content ?? '', features } }
}

function featuresOf(ctx: Ctx, runRow: number) {
  return ctx.db.query<{ id: number; name: string }>(sql`
    select f.number as id, f.name from run_features l join features f on f.id = l.feature_id
    where l.run_id = ${runRow} order by f.number`)
}

/** FORBIDDEN for an agent key on another's run; PRECONDITION_FAILED when `ifVersion` is stale; NOT_FOUND. */
export const updateRun: Operation<'updateRun'> = async (ctx, { runId, ifVersion, ...patch }) => {
  if (patch.content !== undefined) requireFitting(ctx, patch.content)
  return inTx(ctx, async (ctx) => {
    const row = await requireChangeable(ctx, runId)
    requireVersion(ifVersion, row.id, row.version)
    const before = stateOf(row)
    const after = change(before, patch, ctx.now)
    const changes = differences(before, after)
    const content = await replaceContent(ctx, row, patch.content)
    if (content) changes.content = content.changes
    if (Object.keys(changes).length === 0) return { run: runOf(row, ctx.project.slug) }
    const values = {
      ...valuesOf(after),
      document_id: content ? content.documentId : row.document_id,
      work_version: row.work_version + (isWork(before, after, content !== undefined) ? 1 : 0),
      updated_at: ctx.now,
      updated_by: keyIdOf(ctx),
      version: row.version + 1,
    }
    const [changed] = await ctx.db.query<RunRow>(sql`
      update runs set ${join(Object.entries(values).map(([name, value]) => sql`${raw(name)} = ${value}`))}
      where runs.id = ${row.id} returning ${columns}`)
    if (content) await deleteDocument(ctx, row.document_id)
    if (changes.labels) {
      await ctx.db.query(sql`delete from run_labels where run_id = ${row.id}`)
      await insertLabels(ctx, row, after.labels)
    }
    await recordRun(ctx, 'updated', row, changes)
    return { run: runOf(changed as RunRow, ctx.project.slug) }
  })
}

/** Stores a new content; undefined when none is given or it is the one that is there. The caller deletes the old one. */
async function replaceContent(ctx: Ctx, row: RunRow, content: string | undefined) {
  if (content === undefined) return undefined
  const before = await findDigest(ctx, row.document_id)
  const after = digestOf(content)
  if (before?.sha256 === after?.sha256) return undefined
  const changes: [Digest | null, Digest | null] = [before, after]
  return { changes, documentId: await insertDocument(ctx, content, after) }
}

/** PRECONDITION_FAILED when `ifVersion` is stale; NOT_FOUND. */
export const deleteRun: Operation<'deleteRun'> = (ctx, { runId, ifVersion }) =>
  inTx(ctx, async (ctx) => {
    const row = await requireRun(ctx, runId, ctx.db.dialect.forUpdate)
    requireVersion(ifVersion, row.id, row.version)
    const content = await findDigest(ctx, row.document_id)
    await ctx.db.query(sql`delete from runs where id = ${row.id}`)
    await deleteDocument(ctx, row.document_id)
    await recordRun(ctx, 'deleted', row, vanished({ ...stateOf(row), content }))
    return { message: 'Run deleted successfully' }
  })
