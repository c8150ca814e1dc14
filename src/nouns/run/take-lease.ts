import sql from 'sql-template-tag'
import { permits, systemActor } from '../../contract/actor.ts'
import { ConductError, invalid } from '../../contract/error.ts'
import type { Tx } from '../../engine/db.ts'
import { type Ctx, inTx, type Operation, requireOwn, systemCtx } from '../../frame/ctx.ts'
import { nameOfActor } from '../../log/actor.ts'
import { activityAfter } from './activity.ts'
import type { RunStatus } from './fields.ts'
import { expired, expiryOf, latestExpiry, tokenHash, tokenOf } from './lease.ts'
import type { Lease } from './lease-fields.ts'
import { showOpenTurn } from './open-turn.ts'
import { isOfCreator } from './person.ts'
import { activityIn, columns, type RunRow, requireRun, shownRun, stateOf } from './row.ts'
import { type LeaseColumns, saveRun } from './save.ts'
import { earlier, isTooLate, later, type RunState } from './state.ts'
import type { RunWorkRoutes } from './work-routes.ts'

/** A run that the caller may change, locked until the transaction ends. */
interface Opened {
  row: RunRow
  /** The state before the change. */
  base: RunState
  /** Whether the caller holds the lease. */
  holds: boolean
  /** Whether the caller is the recorder of the run, by the token of its creation. */
  isRecorder: boolean
}

/** Whether its lease has expired, or was granted while the clock was far ahead and not renewed since. */
const isLapsed = ({ lease_expires_at: at }: RunRow, now: string) => at !== null && (at <= now || at > latestExpiry(now))

/**
 * Opens a run for a change. A run whose lease has expired counts as failed, whether or not a server has noticed. Its
 * holder resumes it, unless someone has changed or retried it since. Throws FORBIDDEN for an agent key on another's
 * run, unless it `deletes`, which has its own permission, or it is the next key of the same person, with the token of the
 * run's recorder; LEASE_HELD without the token, unless the change is an `end`, with no fields `beside` it, and the caller
 * may write; LEASE_LOST for a token that is no longer valid, unless the caller `proposes` it for the first lease of the
 * run; NOT_FOUND.
 */
export async function openRun(
  ctx: Ctx,
  runId: string,
  token: string | undefined,
  { end, deletes = false, proposes = false }: { end?: End | undefined; deletes?: boolean; proposes?: boolean } = {},
): Promise<Opened> {
  const found = await requireRun(ctx, runId, ctx.db.dialect.forUpdate)
  const proof = token === undefined ? ctx.leaseHash : tokenHash(token)
  const isNextKey = isRecorderOf(found, proof) && isOfCreator(ctx, found)
  if (!deletes && !isNextKey) requireOwn(ctx, found, `run '${runId}'`)
  const row = isLapsed(found, ctx.now) ? await lapse(ctx, found) : found
  const state = stateOf(row)
  if (proof !== undefined && !(proposes && row.lease_seconds === null)) {
    if (row.lease_token !== proof) throw await leaseLost(ctx, row)
    const base = state.failure?.code === expired.code ? await resumed(ctx, row, state) : state
    return { row, base, holds: true, isRecorder: isRecorderOf(row, proof) }
  }
  const mayEnd = end?.beside.length === 0 && permits(ctx.actor.permissions, 'write')
  if (row.lease_expires_at !== null && !mayEnd) throw leaseHeld(row, end)
  return { row, base: state, holds: false, isRecorder: false }
}

/** A change that fails a run, and the names of the fields that it changes beside the status and the failure. */
interface End {
  beside: readonly string[]
}

function leaseHeld({ run_id, lease_expires_at }: RunRow, end: End | undefined): ConductError {
  const way = end?.beside.length
    ? `leave out ${end.beside.join(', ')}: without the token, a key with write can send only status 'failed' and failure`
    : "end it with status 'failed' and a key with write"
  return new ConductError(
    'LEASE_HELD',
    `Run '${run_id}' is leased until ${lease_expires_at}: send its Lease-Token, or ${way}.`,
  )
}

/** Whether this is the hash of the token that the recorder of a run received when it created the run. It outlives the lease. */
export const isRecorderOf = ({ recorder_token }: RunRow, proof: string | undefined): boolean =>
  recorder_token !== null && recorder_token === proof

/** Fails a run at the time when its lease expired. */
function lapse(ctx: Ctx, row: RunRow): Promise<RunRow> {
  const base = stateOf(row)
  const at = earlier(ctx.now, row.lease_expires_at)
  const startedAt = isTooLate(base, ctx.now) ? at : base.startedAt
  // A start may be some minutes ahead.
  const times = { startedAt, endedAt: later(at, startedAt) }
  const after: RunState = { ...base, status: 'failed', failure: expired, ...times }
  const lease = { ...leaseIn(row), lease_expires_at: null }
  return saveRun({ ...ctx, actor: systemActor }, { row, base, after, lease, holds: false, isRecorder: false })
}

const leaseIn = ({ lease_token, lease_seconds, lease_expires_at }: RunRow): LeaseColumns => ({
  lease_token,
  lease_seconds,
  lease_expires_at,
})

/** The state of a run as if its lease had not expired. Throws LEASE_LOST if the run has been retried since it expired. */
async function resumed(ctx: Ctx, row: RunRow, state: RunState): Promise<RunState> {
  // A run whose start lies ahead of the clock ends at that start, later than its lease.
  const expiresAt = row.last_seen_at && expiryOf(row.last_seen_at, row.lease_seconds ?? 0)
  const [retry] = await ctx.db.query<{ run_id: string; created_at: string }>(sql`
    select run_id, created_at from runs where retry_of = ${row.id} and created_at >= ${earlier(row.ended_at ?? ctx.now, expiresAt)}
    order by id limit 1`)
  if (retry) {
    throw new ConductError(
      'LEASE_LOST',
      `Run '${row.run_id}' was retried as '${retry.run_id}' at ${retry.created_at}: continue there.`,
    )
  }
  return { ...state, status: 'in_progress', failure: null, endedAt: null }
}

async function leaseLost(ctx: Ctx, row: RunRow): Promise<ConductError> {
  const [by] = await ctx.db.query<{ id: number }>(sql`select updated_by as id from runs where id = ${row.id}`)
  const who = await nameOfActor(ctx, by?.id ?? systemActor.id)
  return new ConductError(
    'LEASE_LOST',
    `The Lease-Token does not match that of run '${row.run_id}', which ${who} changed last, at ${row.updated_at}. Read the run before you continue.`,
  )
}

/** A new lease: its columns, and the token that its holder receives or has proposed. */
export function grant(now: string, seconds: number, proposed: string | undefined): Required<Granted> {
  const token = tokenOf(proposed)
  const expiresAt = expiryOf(now, seconds)
  const columns: LeaseColumns = { lease_token: tokenHash(token), lease_seconds: seconds, lease_expires_at: expiresAt }
  return { columns, lease: { token, expiresAt } }
}

/** The status that goes with a lease. Throws VALIDATION_ERROR for another one. */
export function statusUnder(seconds: number | undefined, status: RunStatus | undefined): RunStatus | undefined {
  if (!seconds) return status
  if (status !== undefined && status !== 'in_progress') {
    throw invalid('leaseSeconds', `makes the run in_progress, but status is '${status}'`)
  }
  return 'in_progress'
}

interface Granted {
  columns: LeaseColumns
  /** The lease to return, if the caller asked for one. */
  lease?: Lease
}

/** The lease after a change: granted or renewed for `seconds`, or ended by 0 or by the end of the run. */
export function leaseAfter(
  ctx: Ctx,
  { row, holds }: Opened,
  after: RunState,
  seconds: number | undefined,
  token: string | undefined,
): Granted {
  if (seconds && !holds) return grant(ctx.now, seconds, token)
  // The last holder may still write until someone else has acted.
  const lease_token = holds ? row.lease_token : null
  const lease_seconds = seconds || row.lease_seconds
  const isLeased = row.lease_expires_at !== null || row.status !== 'in_progress'
  const goesOn = holds && seconds !== 0 && after.status === 'in_progress' && (seconds !== undefined || isLeased)
  if (!goesOn || lease_seconds === null) return { columns: { lease_token, lease_seconds, lease_expires_at: null } }
  const expiresAt = expiryOf(ctx.now, lease_seconds)
  const columns = { lease_token, lease_seconds, lease_expires_at: expiresAt }
  return seconds && token !== undefined ? { columns, lease: { token, expiresAt } } : { columns }
}

/**
 * Throws LEASE_HELD without the token of a live lease; LEASE_LOST; CONFLICT when renewing the lease of a run without
 * one, and for an activity of a run that is not in progress.
 */
export const heartbeat: Operation<RunWorkRoutes['heartbeat']> = (
  ctx,
  { runId, activity: doing, turn, leaseSeconds, leaseToken },
) =>
  inTx(ctx, async (ctx) => {
    const opened = await openRun(ctx, runId, leaseToken)
    if (leaseSeconds !== undefined && !opened.holds) {
      throw new ConductError('CONFLICT', `You hold no lease on run '${runId}': PATCH leaseSeconds to take one.`)
    }
    const { row, base } = opened
    const lease = opened.holds ? leaseAfter(ctx, opened, base, leaseSeconds, leaseToken).columns : leaseIn(row)
    if (doing && base.status !== 'in_progress') {
      throw new ConductError(
        'CONFLICT',
        `Run '${runId}' is ${base.status}, and only a run in progress can have an activity.`,
      )
    }
    if (turn) await showOpenTurn(ctx, row, turn)
    const activity = doing && activityAfter(activityIn(row), doing, ctx.now)
    const saved = await saveRun(ctx, {
      ...opened,
      after: base,
      lease,
      holds: true,
      activity,
      isWrite: turn !== undefined,
    })
    return { run: await shownRun(ctx, saved) }
  })

const reapedAtOnce = 100

/**
 * Fails runs whose leases expired before `now`, or were granted while the clock was far ahead, a limited number at a
 * time. Any server does this for all; if two meet, one of them acts. Returns whether there may be more.
 */
export async function reap(db: Tx, now: string): Promise<boolean> {
  const lapsed = await db.query<{ id: number }>(sql`
    select id from runs where lease_expires_at <= ${now} order by lease_expires_at limit ${reapedAtOnce}`)
  const early = await db.query<{ id: number }>(sql`
    select id from runs where lease_expires_at > ${latestExpiry(now)} limit ${reapedAtOnce - lapsed.length}`)
  lapsed.push(...early)
  await Promise.all(lapsed.map(({ id }) => db.tx((tx) => reapOne(tx, id, now))))
  return lapsed.length === reapedAtOnce
}

async function reapOne(db: Tx, id: number, now: string) {
  const [row] = await db.query<RunRow>(sql`select ${columns} from runs where runs.id = ${id} ${db.dialect.forUpdate}`)
  if (!row || !isLapsed(row, now)) return
  await lapse(systemCtx(db, now, row.project_id), row)
}
