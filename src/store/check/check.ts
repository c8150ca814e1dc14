import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import type { Check, CheckResult } from '../../api/check.ts'
import { ConductError } from '../../api/error.ts'
import { appeared, type Changes, differences, vanished } from '../../ledger/event.ts'
import { insertUnder } from '../counter.ts'
import { type Ctx, inTx, type Operation, requireVersion } from '../ctx.ts'
import { contentOf, deleteDocument, digestOf, findDigest, insertDocument, requireFitting } from '../document.ts'
import { record } from '../log/record.ts'
import { readPage, type Walk } from '../page.ts'
import { type RunRow, recordRun, requireRun } from '../run/row.ts'
import { visibleProjects } from '../scope.ts'
import { moveTotals } from '../spec/totals.ts'
import { findVerdict } from './verdict.ts'

interface CheckRow {
  id: number
  slug: string
  check_id: string
  run: string
  name: string
  result: CheckResult
  document_id: number | null
  command: string | null
  exit_code: number | null
  duration_ms: number | null
  git_commit: string | null
  agent: string | null
  created_at: string
  updated_at: string
  created_by: number
  version: number
}

const columns = sql`checks.id, (select p.slug from projects p where p.id = checks.project_id) as slug, checks.check_id,
  (select r.run_id from runs r where r.id = checks.run_id) as run, checks.name, checks.result, checks.document_id,
  checks.command, checks.exit_code, checks.duration_ms, checks.git_commit, checks.agent, checks.created_at,
  checks.updated_at, checks.created_by, checks.version`

function checkOf(row: CheckRow): Check {
  return {
    id: row.id,
    project: row.slug,
    checkId: row.check_id,
    runId: row.run,
    name: row.name,
    result: row.result,
    command: row.command,
    exitCode: row.exit_code,
    durationMs: row.duration_ms,
    commit: row.git_commit,
    agent: row.agent,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }
}

type State = Pick<Check, 'name' | 'result' | 'command' | 'exitCode' | 'durationMs' | 'commit' | 'agent'>

function stateOf(row: CheckRow): State {
  const { name, result, command, exitCode, durationMs, commit, agent } = checkOf(row)
  return { name, result, command, exitCode, durationMs, commit, agent }
}

const valuesOf = ({ name, result, command, exitCode, durationMs, commit, agent }: State) => ({
  name,
  result,
  command,
  exit_code: exitCode,
  duration_ms: durationMs,
  git_commit: commit,
  agent,
})

function recordCheck(ctx: Ctx, what: 'created' | 'updated' | 'deleted', row: CheckRow, changes: Changes) {
  const { id: subjectId, check_id: subject } = row
  return record(ctx, { type: `check.${what}`, subject, subjectId, projectId: ctx.project.id, changes })
}

/** Brings the verdict of a run up to its checks, with an event when it moves. */
async function settle(ctx: Ctx, run: RunRow): Promise<void> {
  const before = { verdict: run.verdict, evidence: run.evidence }
  const after = await findVerdict(ctx, run)
  const moved = differences(before, after)
  if (Object.keys(moved).length === 0) return
  await ctx.db.query(sql`update runs set verdict = ${after.verdict}, evidence = ${after.evidence} where id = ${run.id}`)
  await moveTotals(ctx, run, { ...run, ...after })
  await recordRun(ctx, 'updated', run, moved)
}

/** NOT_FOUND for an unknown run; CONFLICT when the checkId is taken. */
export const createCheck: Operation<'createCheck'> = async (ctx, { checkId, runId, content = '', ...fields }) => {
  requireFitting(ctx, content)
  const digest = digestOf(content)
  return inTx(ctx, async (ctx) => {
    const run = await requireRun(ctx, runId, ctx.db.dialect.forUpdate)
    const { command = null, exitCode = null, durationMs = null, commit = null, agent = null, name, result } = fields
    const state = { name, result, command, exitCode, durationMs, commit, agent }
    const values = {
      project_id: ctx.project.id,
      run_id: run.id,
      result_by: ctx.actor.id,
      work_version: run.work_version,
      document_id: await insertDocument(ctx, content, digest),
      ...stamps(ctx),
      ...valuesOf(state),
    }
    const row = await insertUnder(ctx, 'check', checkId, async (id) => {
      const [row] = await ctx.db.query<CheckRow>(sql`
        insert into checks (check_id, ${raw(Object.keys(values).join(', '))}) values (${id}, ${join(Object.values(values))})
        on conflict do nothing returning ${columns}`)
      return row
    })
    if (!row)
      throw new ConductError('CONFLICT', `The check '${checkId}' exists: leave checkId out and take the next free one.`)
    await recordCheck(ctx, 'created', row, appeared({ runId, ...state, content: digest }))
    await settle(ctx, run)
    return { check: checkOf(row) }
  })
}

const stamps = (ctx: Ctx) => ({
  created_by: ctx.actor.id,
  updated_by: ctx.actor.id,
  created_at: ctx.now,
  updated_at: ctx.now,
})

/** NOT_FOUND for an unknown project. */
export const listChecks: Operation<'listChecks'> = async (ctx, { project, runId, name, result, ...page }) => {
  const { projects } = await visibleProjects(ctx, project)
  const filters: Sql[] = name === undefined ? [] : [sql`checks.name = ${name}`]
  const walks = projects.flatMap(({ id }): Walk[] => {
    const ofRun =
      runId === undefined
        ? sql`checks.project_id = ${id}`
        : sql`checks.run_id = (select r.id from runs r where r.project_id = ${id} and r.run_id = ${runId})`
    const where = [ofRun, ...filters]
    const from = sql`checks`
    const order = { createdAt: 'checks.created_at', id: 'checks.id' }
    if (!result) return [{ from, where, ...order }]
    return [...new Set(result)].map((one) => ({ from, where: [...where, sql`checks.result = ${one}`], ...order }))
  })
  const { rows, meta } = await readPage<CheckRow>(ctx.db, columns, walks, page)
  return { checks: rows.map(checkOf), meta }
}

/** Deletes the checks of a run that goes, with an event of each. The caller holds the run. */
export async function deleteChecksOf(ctx: Ctx, run: RunRow): Promise<void> {
  const rows = await ctx.db.query<CheckRow>(sql`
    select ${columns} from checks where checks.run_id = ${run.id} order by checks.id`)
  for (const row of rows) await removeCheck(ctx, row)
}

async function removeCheck(ctx: Ctx, row: CheckRow): Promise<void> {
  const content = await findDigest(ctx, row.document_id)
  await ctx.db.query(sql`delete from checks where id = ${row.id}`)
  await deleteDocument(ctx, row.document_id)
  await recordCheck(ctx, 'deleted', row, vanished({ runId: row.run, ...stateOf(row), content }))
}

/** The newest checks of the run of that row. */
export async function checksOfRun(ctx: Ctx, runRow: number, limit: number): Promise<Check[]> {
  const rows = await ctx.db.query<CheckRow>(sql`
    select ${columns} from checks where checks.run_id = ${runRow} order by checks.created_at desc, checks.id desc limit ${limit}`)
  return rows.map(checkOf)
}

async function requireCheck(ctx: Ctx, checkId: string, lock = empty): Promise<CheckRow> {
  const [row] = await ctx.db.query<CheckRow>(sql`
    select ${columns} from checks where checks.project_id = ${ctx.project.id} and checks.check_id = ${checkId} ${lock}`)
  if (!row) throw new ConductError('NOT_FOUND', `There is no check '${checkId}' in project '${ctx.project.slug}'.`)
  return row
}

/** The check and its run, locked run first. */
async function openCheck(ctx: Ctx, checkId: string) {
  const { run: runId } = await requireCheck(ctx, checkId)
  const run = await requireRun(ctx, runId, ctx.db.dialect.forUpdate)
  return { run, row: await requireCheck(ctx, checkId, ctx.db.dialect.forUpdate) }
}

/** NOT_FOUND when the project has none of that id. */
export const getCheck: Operation<'getCheck'> = async (ctx, { checkId }) => {
  const [row] = await ctx.db.query<CheckRow & { content: string | null }>(sql`
    select ${columns}, ${contentOf('checks')} as content from checks
    where checks.project_id = ${ctx.project.id} and checks.check_id = ${checkId}`)
  if (!row) throw new ConductError('NOT_FOUND', `There is no check '${checkId}' in project '${ctx.project.slug}'.`)
  return { check: { ...checkOf(row), content: row.content ?? '' } }
}

/** FORBIDDEN for another key than the one that made the check; PRECONDITION_FAILED; NOT_FOUND. */
export const updateCheck: Operation<'updateCheck'> = async (ctx, { checkId, ifVersion, content, ...patch }) => {
  if (content !== undefined) requireFitting(ctx, content)
  return inTx(ctx, async (ctx) => {
    const { row, run } = await openCheck(ctx, checkId)
    requireVersion(ifVersion, row.id, row.version)
    if (row.created_by !== ctx.actor.id) {
      throw new ConductError(
        'FORBIDDEN',
        `Check '${checkId}' was recorded by another key, and only that key changes it: record a check of your own.`,
      )
    }
    const before = stateOf(row)
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
    const after: State = { ...before, ...given }
    const digests =
      content === undefined ? undefined : { before: await findDigest(ctx, row.document_id), after: digestOf(content) }
    const isReplaced = digests !== undefined && digests.before?.sha256 !== digests.after?.sha256
    const changes: Changes = {
      ...differences(before, after),
      ...(isReplaced && { content: [digests.before, digests.after] }),
    }
    if (Object.keys(changes).length === 0) return { check: checkOf(row) }
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
    return { check: checkOf(changed as CheckRow) }
  })
}

/** PRECONDITION_FAILED when `ifVersion` is stale; NOT_FOUND. */
export const deleteCheck: Operation<'deleteCheck'> = (ctx, { checkId, ifVersion }) =>
  inTx(ctx, async (ctx) => {
    const { row, run } = await openCheck(ctx, checkId)
    requireVersion(ifVersion, row.id, row.version)
    await removeCheck(ctx, row)
    await settle(ctx, run)
    return { message: 'Check deleted successfully' }
  })
