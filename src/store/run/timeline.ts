import sql from 'sql-template-tag'
import type { Run } from '../../api/run.ts'
import type { TimelineEntry } from '../../api/timeline.ts'
import { checksOfRun } from '../check/check.ts'
import type { Ctx, Operation } from '../ctx.ts'
import { eventsOfRun } from '../log/event.ts'
import { requireRun } from './row.ts'

/** How many of each kind a timeline shows: the newest. */
const shown = 500

/** NOT_FOUND when the project has no such run. */
export const timeline: Operation<'timeline'> = async (ctx, { runId }) => {
  const { id } = await requireRun(ctx, runId)
  const entries: TimelineEntry[] = [
    ...(await eventsOfRun(ctx, id, runId, shown)).map((event) => ({ kind: 'event' as const, at: event.at, event })),
    ...(await checksOfRun(ctx, id, shown))
      .reverse()
      .map((check) => ({ kind: 'check' as const, at: check.createdAt, check })),
    ...(await attemptsOf(ctx, id))
      .reverse()
      .map(({ createdAt: at, ...run }) => ({ kind: 'attempt' as const, at, run })),
  ]
  return { timeline: entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)) }
}

/** All attempts at the task of a run, itself among them: from the first, whatever retries it or a retry of it. */
function attemptsOf(ctx: Ctx, id: number) {
  return ctx.db.query<Pick<Run, 'runId' | 'status' | 'verdict' | 'attempt' | 'createdAt'>>(sql`
    with recursive before (id, retry_of) as (
      select id, retry_of from runs where id = ${id}
      union all select r.id, r.retry_of from runs r join before on r.id = before.retry_of
    ), family (id) as (
      select id from before where retry_of is null
      union all select r.id from runs r join family on r.retry_of = family.id
    )
    select run_id as "runId", status, verdict, attempt, created_at as "createdAt" from runs
    where id in (select id from family) order by id desc limit ${shown}`)
}
