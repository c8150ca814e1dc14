import sql, { join, raw, type Sql } from 'sql-template-tag'
import { parsed } from '../../../contract/stored.ts'
import { askerIn, type Ctx } from '../../../frame/ctx.ts'
import { idsOf } from '../../../frame/pieces.ts'
import { assigned, inserted } from '../../../frame/stored.ts'
import { appeared, differences, erasedText } from '../../../log/event.ts'
import { failingCheck } from '../check/verdict.ts'
import { rejudgedByUpgrade } from '../fields.ts'
import { cancelled } from '../lease.ts'
import { isPersonHash, personHash } from '../person.ts'
import type { RunRow } from '../row.ts'
import { verdicts } from '../state.ts'
import { type AttentionColumns, type AttentionRow, clearAttention, columns, loggedOf, recordAttention } from './row.ts'
import {
  enters,
  failsAnew,
  type Looked,
  mendedBy,
  outweighs,
  type Reason,
  reasonOf,
  sinceOf,
  undecided,
} from './rule.ts'

/** How many runs one good run takes off the list at most. The next one continues. */
const mostMended = 500

/**
 * Keeps the list of runs that somebody should look at, after a run changed from `before` to `after`; null: it did not
 * exist. The caller has locked the run, and recorded its change.
 */
export async function keepAttention(ctx: Ctx, before: RunRow | null, after: RunRow): Promise<void> {
  if (mayNeed(after) || (before && mayNeed(before))) await keepOwn(ctx, before, after)
  if (mayMend(after) && !(before && isAsGood(before, after))) await clearMended(ctx, after)
}

const mayNeed = ({ status, verdict }: RunRow) => status === 'failed' || verdict === 'failing'
const mayMend = (run: RunRow) => mendedBy(run).length > 0
const isAsGood = (before: RunRow, after: RunRow) =>
  mendedBy(before).length === mendedBy(after).length &&
  (before.evidence !== 'self' || after.evidence === 'self') &&
  before.branch === after.branch &&
  before.spec_id === after.spec_id

/** What the rule looks at in a run. */
export const lookedAt = (row: RunRow): Looked => ({
  status: row.status,
  failureCode: parsed(row.failure)?.code,
  verdict: row.verdict,
  evidence: row.evidence,
  why: row.why,
  isRejudged: row.judged === rejudgedByUpgrade,
  isWorking: parsed(row.activity)?.state === 'working',
  endedAt: row.ended_at,
})

async function keepOwn(ctx: Ctx, before: RunRow | null, after: RunRow): Promise<void> {
  const [was, is] = [before === null ? undefined : lookedAt(before), lookedAt(after)]
  const reason = reasonOf(is)
  if (reason === undefined) return clearAttention(ctx, [after.id])
  if (endsHere(was, is) && isOwnCancel(ctx, after, is)) return clearAttention(ctx, [after.id])
  if (before && was && isSame(before, after, was, is)) return
  const [row] = await ctx.db.query<AttentionRow>(
    sql`select ${columns} from attention where run_id = ${after.id} ${ctx.db.dialect.forUpdate}`,
  )
  if (!row && !enters(was, is, ctx.now)) return
  const isKnown = row?.reason === reason && was?.why === is.why
  const check_name = isKnown ? row.check_name : reason === 'failing' ? await failingCheck(ctx, after) : null
  const isNew =
    !row || failsAnew(was, is) || row.check_name !== check_name || (await failsSince(ctx, after, row.resolved_at))
  const values = {
    ...{ reason, check_name, spec_id: after.spec_id, branch: after.branch, author_person: after.author_person },
    hidden: is.isWorking ? 1 : 0,
    ...(isNew && { ...anew, since_at: sinceOf(was, is, ctx.now) }),
  }
  if (row) await change(ctx, row, values)
  else await insert(ctx, after, { ...values, since_at: sinceOf(was, is, ctx.now) }, reason)
}

/** Whether a check of the run has failed since somebody resolved it. */
async function failsSince(ctx: Ctx, { id }: RunRow, resolvedAt: string | null): Promise<boolean> {
  if (resolvedAt === null) return false
  const found = await ctx.db.query(sql`
    select 1 as one from checks where run_id = ${id} and created_at > ${resolvedAt} and result = 'fail' limit 1`)
  return found.length > 0
}

const endsHere = (before: Looked | undefined, after: Looked) => after.status === 'failed' && before?.status !== 'failed'

/** Whether the caller cancelled a run of its own: it knows, so nobody needs to look. */
const isOwnCancel = (ctx: Ctx, run: RunRow, { failureCode }: Looked): boolean =>
  failureCode === cancelled.code &&
  (run.created_by === ctx.actor.id ||
    (isPersonHash(run.author_person) && personHash(askerIn(ctx)) === run.author_person))

const anew = {
  state: undecided.state,
  put_off_until: undecided.until,
  resolved_at: undecided.resolvedAt,
  resolved_by: null,
} as const

function isSame(before: RunRow, after: RunRow, was: Looked, is: Looked): boolean {
  const columns = ['why', 'spec_id', 'branch', 'author_person'] as const
  return (
    !failsAnew(was, is) && was.isWorking === is.isWorking && columns.every((column) => before[column] === after[column])
  )
}

async function insert(
  ctx: Ctx,
  run: RunRow,
  values: Partial<AttentionColumns> & Pick<AttentionColumns, 'since_at'>,
  reason: Reason,
): Promise<void> {
  // Imports bring runs in any order.
  if (values.since_at < ctx.now && (await isMended(ctx, run, reason, values.since_at))) return
  const all = { ...values, run_id: run.id, project_id: ctx.project.id, updated_at: ctx.now }
  const [row] = await ctx.db.query<AttentionRow>(sql`
    insert into attention ${inserted(all)}
    on conflict do nothing returning ${columns}`)
  if (row) await recordAttention(ctx, 'created', row, appeared(loggedOf(row)))
}

/** Changes columns of a row that the caller has locked, with an event if the log records them. */
export async function change(ctx: Ctx, row: AttentionRow, values: Partial<AttentionColumns>): Promise<void> {
  const changes = differences(loggedOf(row), loggedOf({ ...row, ...values }))
  const isChanged = Object.keys(changes).length > 0
  const all = { ...values, ...(isChanged && { updated_at: ctx.now }) }
  const moved = Object.entries(all).filter(([name, value]) => row[name as keyof AttentionColumns] !== value)
  if (moved.length === 0) return
  const [saved] = await ctx.db.query(
    sql`update attention set ${assigned(Object.fromEntries(moved))} where run_id = ${row.id} returning 1 as one`,
  )
  if (saved && isChanged) await recordAttention(ctx, 'updated', row, changes)
}

/** The tasks that a run belongs to, as conditions on rows of a table that has its columns. */
const sameTask = ({ branch, spec_id }: RunRow, table: string): Sql[] => [
  ...(branch && branch !== erasedText ? [sql`${raw(table)}.branch = ${branch}`] : []),
  ...(spec_id === null ? [] : [sql`${raw(table)}.spec_id = ${spec_id}`]),
]

/** Whether a later run of the same task that ended at `since` or later is good. */
async function isMended(ctx: Ctx, run: RunRow, reason: Reason, since: string): Promise<boolean> {
  const hardest = run.verdict === 'failing' ? 'failing' : reason
  const good = verdicts.filter((verdict) => mendedBy({ status: 'completed', verdict }).includes(hardest))
  const mayBeClaim = hardest !== 'failing' || outweighs({ evidence: 'self' }, run)
  const isGood = sql`r.status = 'completed' and r.verdict in (${join(good)}) and r.ended_at >= ${since}
    and ${mayBeClaim ? sql`true` : sql`r.evidence <> 'self'`}`
  const isLater = sql`r.project_id = ${ctx.project.id} and (r.created_at, r.id) > (${run.created_at}, ${run.id})`
  const terms = [
    sql`select 1 as one from runs r where r.retry_of = ${run.id} and ${isGood}`,
    ...sameTask(run, 'r').map(
      (isSame) => sql`select 1 as one from runs r where ${isSame} and ${isLater} and ${isGood}`,
    ),
  ]
  const found = await ctx.db.query(sql`select one from (${join(terms, ' union all ')}) as later limit 1`)
  return found.length > 0
}

/** Takes off the list what a good run has made good: earlier runs of the same branch or spec, and those that it retries. */
async function clearMended(ctx: Ctx, run: RunRow): Promise<void> {
  const reasons = mendedBy(run)
  const mayFail = !reasons.includes('failing')
    ? sql`false`
    : run.evidence === 'self'
      ? sql`r.evidence = 'self'`
      : sql`true`
  const isMended = sql`a.reason in (${join(reasons)}) and (r.verdict <> 'failing' or ${mayFail})`
  const isEarlier = sql`(r.created_at, r.id) < (${run.created_at}, ${run.id})`
  const limit = raw(String(mostMended))
  const terms = sameTask(run, 'a').map(
    (isSame) => sql`select id from (select a.run_id as id from attention a join runs r on r.id = a.run_id
      where a.project_id = ${ctx.project.id} and ${isSame} and ${isMended} and ${isEarlier}
      order by a.run_id limit ${limit}) as same`,
  )
  if (run.retry_of_run !== null) {
    terms.push(sql`select a.run_id as id from attention a join runs r on r.id = a.run_id where ${isMended} and a.run_id in (
      with recursive earlier (id) as (
        select retry_of from runs where id = ${run.id}
        union all select r.retry_of from runs r join earlier on r.id = earlier.id
      ) select id from earlier where id is not null)`)
  }
  if (terms.length === 0) return
  const found = await ctx.db.query<{ id: number }>(sql`
    select id from (${join(terms, ' union ')}) as mended order by id limit ${limit}`)
  await clearAttention(ctx, idsOf(found))
}
