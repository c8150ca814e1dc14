import sql, { join, raw, type Sql } from 'sql-template-tag'
import { only, type Tx } from '../../engine/db.ts'
import type { Ctx, Operation } from '../../frame/ctx.ts'
import { numberEvents } from '../../log/number.ts'
import { type EventJson, type LogPart, readPageOfLines } from '../../log/read.ts'
import { turnsOfRun } from './append-turn.ts'
import { checksOfRun } from './check/list.ts'
import type { Run } from './fields.ts'
import { requireRun } from './row.ts'
import type { TimelineEntry } from './timeline-fields.ts'
import type { RunWorkRoutes } from './work-routes.ts'

/** How many of the newest turns, checks and attempts a timeline shows. */
const shown = 500
/** How many single events it shows from the start and from the end: fewer if they are large. */
const first = { limit: 100, bytes: 1_000_000 }
const last = { limit: 400, bytes: 3_000_000 }

type Omitted = Extract<TimelineEntry, { kind: 'omitted' }>
interface Count {
  count: number
}

/** Throws NOT_FOUND if the project has no such run. */
export const timeline: Operation<RunWorkRoutes['timeline']> = async (ctx, { runId }) => {
  const { id } = await requireRun(ctx, runId)
  const events = await eventsOf(ctx, id, runId)
  const others = [...(await turnEntries(ctx, id)), ...(await checkEntries(ctx, id)), ...(await attemptEntries(ctx, id))]
  return {
    timeline: merged(
      events,
      others.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)),
    ),
  }
}

async function turnEntries(ctx: Ctx, id: number): Promise<TimelineEntry[]> {
  const turns = (await turnsOfRun(ctx, id, shown)).map((turn) => ({ kind: 'turn' as const, ...turn }))
  return afterOmitted('turn', (turns.at(-1)?.turn.n ?? 1) - 1, turns.reverse())
}

async function checkEntries(ctx: Ctx, id: number): Promise<TimelineEntry[]> {
  const newest = await checksOfRun(ctx, id, shown)
  const omitted = await countBeyond(ctx, newest, sql`select count(*) as count from checks where run_id = ${id}`)
  const checks = newest.map((check) => ({ kind: 'check' as const, at: check.createdAt, check }))
  return afterOmitted('check', omitted, checks.reverse())
}

async function attemptEntries(ctx: Ctx, id: number): Promise<TimelineEntry[]> {
  const { newest, omitted } = await attemptsOf(ctx, id)
  const attempts = newest.map(({ createdAt: at, ...run }) => ({ kind: 'attempt' as const, at, run }))
  return afterOmitted('attempt', omitted, attempts.reverse())
}

/** How many rows there are besides these newest ones. */
async function countBeyond({ db }: Ctx, newest: unknown[], all: Sql): Promise<number> {
  return newest.length < shown ? 0 : only(await db.query<Count>(all)).count - newest.length
}

/** These entries, after one that says how many came before them, if any. It has their earliest time, so it stays first. */
function afterOmitted(of: Omitted['of'], count: number, entries: TimelineEntry[]): TimelineEntry[] {
  const [at] = entries.map((entry) => entry.at).sort()
  return at && count > 0 ? [{ kind: 'omitted', at, of, count }, ...entries] : entries
}

/** Merges two lists. Each keeps its own order, because clocks may disagree with the order of the log. */
function merged(events: TimelineEntry[], others: TimelineEntry[]): TimelineEntry[] {
  const rest = [...others]
  const all = events.flatMap((event) => {
    const before = rest.findIndex(({ at }) => at >= event.at)
    return [...rest.splice(0, before < 0 ? rest.length : before), event]
  })
  return [...all, ...rest]
}

/**
 * The events of a run in log order. Appends become groups. Of very many events, some in the middle are left out, so the
 * start of a run stays visible however long it goes on.
 */
async function eventsOf(ctx: Ctx, runRow: number, runId: string): Promise<TimelineEntry[]> {
  await numberEvents(ctx.db)
  const ofSubject = sql`e.project_id = ${ctx.project.id} and e.subject = ${runId}`
  const condition = sql`and e.project_id = ${ctx.project.id} and e.subject_id = ${runRow} and e.type like 'run.%'`
  const alone: LogPart[] = [{ condition, along: { index, subject: runId, is_append: 0 } }]
  const { lines: begin, hasMore } = await readPageOfLines(ctx.db, { after: 0 }, first, alone)
  const after = begin.at(-1)?.event.seq ?? 0
  const rest = hasMore ? await readPageOfLines(ctx.db, { after, order: 'desc' }, last, alone) : undefined
  const end = rest?.lines.reverse() ?? []
  const events = [...begin, ...end]
  const groups = await appendsBetween(ctx.db, ofSubject, events)
  const shown = events.map((line, at): TimelineEntry[] => {
    const group = groups.get(at)
    return [{ kind: 'event', at: line.event.at, event: line.toJSON() }, ...(group ? [group] : [])]
  })
  if (!rest?.hasMore) return shown.flat()
  const between = await ctx.db.query<Count>(sql`
    select count(*) as count from events e ${ctx.db.dialect.indexedBy(index)}
    where e.subject = ${runId} and e.is_append = 0 and e.seq > ${after} and e.seq < ${end[0]?.event.seq} ${condition}`)
  const { count } = only(between)
  return [...shown.slice(0, begin.length).flat(), ...afterOmitted('event', count, shown.slice(begin.length).flat())]
}

/** The index that finds the events of a run. */
const index = 'events_by_subject'
/** How many gaps between events one statement covers. */
const spacesAtOnce = 50

/** The appends between these events, as groups. The appends of a run come after its creation. */
async function appendsBetween(db: Tx, ofSubject: Sql, events: EventJson[]): Promise<Map<number, TimelineEntry>> {
  const groups = new Map<number, TimelineEntry>()
  for (let from = 0; from < events.length; from += spacesAtOnce) {
    const spaces = Array.from({ length: spacesAtOnce }, (_, n) => {
      const after = events[from + n]?.event.seq ?? Number.MAX_SAFE_INTEGER
      const before = events[from + n + 1]?.event.seq ?? Number.MAX_SAFE_INTEGER
      return sql`select ${raw(String(n))} as space, count(*) as appends, min(e.seq) as first, max(e.seq) as last
        from events e ${db.dialect.indexedBy(index)} where ${ofSubject} and e.is_append = 1 and e.seq > ${after} and e.seq < ${before}`
    })
    const found = await db.query<{ space: number; appends: number; at: string; until: string }>(sql`
      select space, appends, (select f.at from events f where f.seq = first) as at,
        (select l.at from events l where l.seq = last) as until
      from (${join(spaces, ' union all ')}) as spaces where appends > 0`)
    for (const { space, appends, at, until } of found) groups.set(from + space, { kind: 'appends', at, until, appends })
  }
  return groups
}

/**
 * The newest attempts at the task of a run, including itself: the first one, and everything that retries it directly or
 * indirectly. Also how many there are besides these.
 */
async function attemptsOf(ctx: Ctx, id: number) {
  type Attempt = Pick<Run, 'runId' | 'status' | 'verdict' | 'attempt' | 'createdAt'>
  const family = sql`with recursive before (id, retry_of) as (
      select id, retry_of from runs where id = ${id}
      union all select r.id, r.retry_of from runs r join before on r.id = before.retry_of
    ), family (id) as (
      select id from before where retry_of is null
      union all select r.id from runs r join family on r.retry_of = family.id
    )`
  const newest = await ctx.db.query<Attempt>(sql`${family}
    select run_id as "runId", status, verdict, attempt, created_at as "createdAt" from runs
    where id in (select id from family) and project_id + 0 = ${ctx.project.id} order by id desc limit ${shown}`)
  const omitted = await countBeyond(ctx, newest, sql`${family} select count(*) as count from family`)
  return { newest, omitted }
}
