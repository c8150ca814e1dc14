import { isDeepStrictEqual } from 'node:util'
import sql, { join } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { assigned } from '../../frame/stored.ts'
import { type Changes, differences } from '../../log/event.ts'
import { moveCost } from '../feature/totals.ts'
import { moveTotals } from '../spec/totals.ts'
import { findSpecVersion } from '../spec/version.ts'
import { activityEvent, activityUnder } from './activity.ts'
import { keepAttention } from './attention/keep.ts'
import { findVerdict, noteWriter } from './check/verdict.ts'
import { type Run, whyOf } from './fields.ts'
import { insertFoundBy, replaceFoundBy } from './found-by.ts'
import { keepModels, writeModels } from './model/keep.ts'
import { isOfCreator, personHash } from './person.ts'
import { activityIn, columns, type RunRow, recordRun, stateOf, valuesOf } from './row.ts'
import { isWork, later, type RunState } from './state.ts'
import type { TurnFields } from './turn-fields.ts'
import type { Activity } from './work-fields.ts'

/** The columns of a run's lease. */
export type LeaseColumns = Pick<RunRow, 'lease_token' | 'lease_seconds' | 'lease_expires_at'>

interface Move {
  row: RunRow
  /** The state before the change: that of the row, or of the resumed run. */
  base: RunState
  after: RunState
  lease: LeaseColumns
  /** Whether the caller holds the lease. If so, the change counts as a sign of life. */
  holds: boolean
  /** Whether the caller is the recorder of the run. */
  isRecorder: boolean
  /** Whether the session may have written files. */
  isTouched?: boolean | undefined
  /** Whether it writes what is not in the run itself, such as an open turn. */
  isWrite?: boolean
  /** The new document, and what the log records about it. */
  content?: { documentId: number | null; changes: [unknown, unknown]; isReplaced: boolean } | undefined
  /** The new activity, if given. Only a wait that begins and the end of a long turn are events. */
  activity?: Activity | undefined
  /** The turn that it adds. */
  turn?: TurnFields
  /** Whether it only appends, so that timelines group it unless it moves the status or the verdict. */
  isAppend?: boolean
}

/**
 * Writes what changed, in the caller's transaction: the columns, what depends on them (version, work, verdict, labels),
 * and the event. Renewing a lease is not a change. A new lease creates no version either, but the run then names who
 * took it, for an earlier holder. A caller that changes nothing and does not hold the lease leaves the row untouched,
 * so the previous holder can still resume. Returns the row as it is then.
 */
export async function saveRun(ctx: Ctx, move: Move): Promise<RunRow> {
  const { row, base, after, lease, holds, content } = move
  const own: Changes = { ...differences(stateOf(row), after), ...(content && { content: content.changes }) }
  const isChanged = Object.keys(own).length > 0
  const activity = activityColumn(move)
  if (
    !isChanged &&
    !holds &&
    !move.isTouched &&
    !move.isWrite &&
    lease.lease_expires_at === null &&
    activity === row.activity
  )
    return row
  if (own.git && !move.isRecorder) await requireUnseen(ctx, row, after)
  const isTaken = lease.lease_token !== null && lease.lease_token !== row.lease_token
  const judged = await judgeAnew(ctx, move, own)
  const saved = await writeRun(ctx, row, {
    ...lease,
    ...(holds && { last_seen_at: ctx.now }),
    activity,
    ...judged,
    ...(isChanged && {
      ...valuesOf(after),
      ...(own.author && { author_person: personHash(after.author) }),
      spec_version: own.specId || own.startedAt ? await findSpecVersion(ctx, after) : row.spec_version,
      document_id: content ? content.documentId : row.document_id,
      version: row.version + 1,
    }),
    // A request that began before an erasure may change the run after it: the erasure must see that.
    ...((isChanged || isTaken) && { updated_at: later(ctx.now, row.erased_at), updated_by: ctx.actor.id }),
  })
  if (own.labels) await replaceLabels(ctx, row, after.labels)
  if (own.usage || move.turn?.model || move.turn?.usage) await keepModels(ctx.db, row, after.usage, move.turn)
  if (own.git || own.links) await replaceFoundBy(ctx, row, base, after, isMaker(ctx, move))
  const moved: Changes = {
    ...own,
    ...specVersionChange(row, saved),
    ...leaseChanges(row, lease),
    ...differences(verdictIn(row), verdictIn(saved)),
  }
  const isMoved = moved.status !== undefined || moved.verdict !== undefined
  const done = activityEvent(activityIn(row), activityIn(saved))
  const isAppend = (move.isAppend && !isMoved) || (content?.isReplaced === false && Object.keys(moved).length === 1)
  await Promise.all([
    Object.keys(moved).length > 0 && recordRun(ctx, 'updated', row, moved, { isAppend }),
    done && recordRun(ctx, done.what, row, done.changes),
    moveTotals(ctx, row, saved),
    moveCost(ctx, row, saved),
  ])
  await keepAttention(ctx, row, saved)
  return saved
}

/** The fields of a run's git state that its verdict rests on. */
const workFields = ['tree', 'commit', 'commitTree', 'uncommitted'] as const

/**
 * Throws FORBIDDEN if a recorder saw checks of the run, and the change moves the work that they are about: a verdict would
 * then rest on what somebody else says of the recorder's files.
 */
async function requireUnseen(ctx: Ctx, row: RunRow, after: RunState): Promise<void> {
  const before = stateOf(row).git
  if (workFields.every((field) => isDeepStrictEqual(before?.[field], after.git?.[field]))) return
  const seen = await ctx.db.query(sql`
    select 1 as one from checks where run_id = ${row.id} and recorder is not null limit 1`)
  if (seen.length === 0) return
  throw new ConductError(
    'FORBIDDEN',
    `The recorder of run '${row.run_id}' saw its checks, so only the recorder can change git: send the Lease-Token with which it created the run, or leave out git.`,
  )
}

/** Whether the commits that a change names are those that the recorder of the run saw, under a key of the run's person. */
const isMaker = (ctx: Ctx, { row, isRecorder }: Move) =>
  isRecorder && (ctx.actor.id === row.created_by || isOfCreator(ctx, row))

/** The verdict on a run, as responses and the log show it. */
export const verdictIn = (row: Pick<RunRow, 'verdict' | 'evidence' | 'why' | 'required'>) => ({
  verdict: row.verdict,
  evidence: row.evidence,
  why: whyOf(row),
})

function activityColumn({ row, after, activity }: Move): string | null {
  const shown = activityUnder(after.status, activity ?? activityIn(row))
  return shown === null ? null : JSON.stringify(shown)
}

/** The fields that make a caller who changes them a writer of the run. */
const written = ['git', 'changes', 'command', 'exitCode', 'status', 'usage', 'author'] as const

/** The verdict on a changed run, and the version of its work. */
async function judgeAnew(ctx: Ctx, { row, base, after, content, isTouched, ...move }: Move, own: Changes) {
  const isWorked = isTouched === true || isWork(base, after, content?.isReplaced === true)
  const work_version = row.work_version + (isWorked ? 1 : 0)
  const isWrite = move.isWrite || isWorked || content !== undefined || written.some((field) => own[field])
  const isNewWriter = isWrite && (await noteWriter(ctx, row))
  const mayMove = isWorked || isNewWriter || own.git !== undefined || own.author !== undefined
  // Without checks there is no sentence.
  const isChecked = row.verdict !== 'unchecked' || row.why !== null
  if (!mayMove || !isChecked) return { work_version }
  const judged = {
    ...row,
    work_version,
    git: after.git && JSON.stringify(after.git),
    author_person: personHash(after.author),
  }
  return { ...(await findVerdict(ctx, judged)), work_version }
}

/**
 * Writes columns of a run and returns the row as it is then. Names only the columns that change: engines update the index
 * of every named column, even if its value stays the same.
 */
export async function writeRun(ctx: Ctx, row: RunRow, values: Record<string, unknown>): Promise<RunRow> {
  const moved = Object.entries(values).filter(([name, value]) => row[name as keyof RunRow] !== value)
  // Two signs of life in the same millisecond change nothing.
  if (moved.length === 0) return row
  const [saved] = await ctx.db.query<RunRow>(
    sql`update runs set ${assigned(Object.fromEntries(moved))} where id = ${row.id} returning ${columns}`,
  )
  return saved as RunRow
}

const specVersionChange = (before: RunRow, after: RunRow): Changes =>
  before.spec_version === after.spec_version ? {} : { specVersion: [before.spec_version, after.spec_version] }

/** The log records when a lease begins or ends, but not when it is renewed. */
function leaseChanges(row: RunRow, { lease_expires_at: after }: LeaseColumns): Changes {
  const before = row.lease_expires_at
  return (before === null) === (after === null) ? {} : { leaseExpiresAt: [before, after] }
}

export async function replaceLabels(ctx: Ctx, row: RunRow, labels: Run['labels']) {
  await ctx.db.query(sql`delete from run_labels where run_id = ${row.id}`)
  await insertLabels(ctx, row, labels)
}

/** Adds a new run to the side tables that lists find it by. */
export async function insertFinders(ctx: Ctx, row: RunRow, state: RunState, isMaker: boolean): Promise<void> {
  await Promise.all([
    insertLabels(ctx, row, state.labels),
    insertFoundBy(ctx, row, state, isMaker),
    writeModels(ctx.db, row, [], { usage: state.usage, byModel: new Map() }),
  ])
}

async function insertLabels(ctx: Ctx, row: RunRow, labels: Run['labels']): Promise<void> {
  const rows = Object.entries(labels).map(
    ([name, value]) => sql`(${row.id}, ${name}, ${value}, ${ctx.project.id}, ${row.created_at})`,
  )
  if (rows.length === 0) return
  await ctx.db.query(sql`insert into run_labels (run_id, name, value, project_id, created_at) values ${join(rows)}`)
}
