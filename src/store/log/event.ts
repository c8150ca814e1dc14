import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import type { Event, EventType } from '../../api/event.ts'
import { permits } from '../../ledger/actor.ts'
import { adminNouns, type Changes } from '../../ledger/event.ts'
import type { Ctx, Operation } from '../ctx.ts'
import type { Tx } from '../engine/db.ts'
import { confinementOf, visibleProjects } from '../scope.ts'

export interface Change {
  type: EventType
  subject: string
  subjectId: number
  /** The row id of its project; null for what belongs to the whole server. */
  projectId: number | null
  changes: Changes
}

/** Appends a change to the ledger's log, in the transaction that makes it. */
export async function record(ctx: Ctx, { type, subject, subjectId, projectId, changes }: Change): Promise<void> {
  const { actor } = ctx
  const who = actor.kind === 'key' ? { kind: actor.kind, keyId: actor.keyId, name: actor.name } : { kind: actor.kind }
  await ctx.db.query(sql`insert into events (project_id, type, subject, subject_id, actor, at, changes)
    values (${projectId}, ${type}, ${subject}, ${subjectId}, ${JSON.stringify(who)}, ${ctx.now}, ${JSON.stringify(changes)})`)
}

const numberedAtOnce = 1000

/**
 * Numbers the events that became visible since the last time, in the order of their ids. Only one transaction of all
 * servers does so at a time, and it looks only once it is alone: so a number, once given, never has a lower one come
 * after it. Where commits come in order anyway, there is nothing to do.
 */
export async function numberEvents(db: Tx): Promise<void> {
  if (db.dialect.commitsInOrder) return
  let numbered = numberedAtOnce
  while (numbered === numberedAtOnce) {
    const [waiting] = await db.query(sql`select 1 as one from events where seq is null limit 1`)
    if (!waiting) return
    numbered = await db.tx(async (tx) => {
      await tx.query(sql`select pg_advisory_xact_lock(7239450183)`)
      const rows = await tx.query(sql`
        with batch as (
          select id, row_number() over (order by id) as n
          from (select id from events where seq is null order by id limit ${numberedAtOnce}) as unnumbered
        )
        update events set seq = batch.n + (select coalesce(max(seq), 0) from events) from batch where events.id = batch.id
        returning 1 as one`)
      return rows.length
    })
  }
}

interface EventRow {
  seq: number
  slug: string | null
  type: EventType
  subject: string
  subject_id: number
  actor: string
  at: string
  changes: string
}

/** What of the log a reader wants to see. */
export interface Selection {
  project?: readonly string[] | undefined
  type?: readonly EventType[] | undefined
  subject?: string | undefined
}

/** What of the log a reader sees: as conditions on `events e`, and as a test of one event. */
export interface Selected {
  conditions: Sql
  admits(event: Event): boolean
}

/** Events of keys and projects are for admins of the whole server. NOT_FOUND for an unknown project. */
export async function selected(ctx: Ctx, { project, type, subject }: Selection): Promise<Selected> {
  const scope = await visibleProjects(ctx, project)
  const hidden = permits(ctx.actor.permissions, 'admin') && confinementOf(ctx) === null ? [] : adminNouns
  const conditions = [
    ...(scope.all ? [] : [sql`e.project_id in (${join(scope.projects.map(({ id }) => id))})`]),
    ...hidden.map((noun) => sql`e.type not like ${`${noun}.%`}`),
    ...(type ? [sql`e.type in (${join(type)})`] : []),
    ...(subject === undefined ? [] : [sql`e.subject = ${subject}`]),
  ]
  const slugs = new Set(scope.projects.map(({ slug }) => slug))
  return {
    conditions: conditions.length > 0 ? join(conditions, ' and ', 'and ') : empty,
    admits: (event) =>
      (scope.all || slugs.has(event.project ?? '')) &&
      !hidden.some((noun) => event.type.startsWith(`${noun}.`)) &&
      (!type || type.includes(event.type)) &&
      (subject === undefined || event.subject === subject),
  }
}

const columns = sql`e.seq, p.slug, e.type, e.subject, e.subject_id, e.actor, e.at, e.changes`
const tables = sql`events e left join projects p on p.id = e.project_id`

/** The events after `after` that the conditions select, oldest first unless told otherwise. */
export async function readEvents(
  db: Tx,
  after: number,
  limit: number,
  conditions: Sql = empty,
  order: 'asc' | 'desc' = 'asc',
): Promise<Event[]> {
  const rows = await db.query<EventRow>(sql`
    select ${columns} from ${tables} where e.seq > ${after} ${conditions} order by e.seq ${raw(order)} limit ${limit}`)
  return rows.map(eventOf)
}

/** The place of the newest event that has one; 0 on an empty log. */
export async function lastSeq(db: Tx): Promise<number> {
  const [row] = await db.query<{ seq: number }>(sql`select coalesce(max(seq), 0) as seq from events`)
  return row?.seq ?? 0
}

/** NOT_FOUND for an unknown project. */
export const listEvents: Operation<'listEvents'> = async (ctx, { after = 0, before, limit, order, ...selection }) => {
  const { conditions } = await selected(ctx, selection)
  await numberEvents(ctx.db)
  const range = before === undefined ? conditions : sql`and e.seq < ${before} ${conditions}`
  const found = await readEvents(ctx.db, after, limit + 1, range, order)
  const events = found.slice(0, limit)
  const unread = order === 'desc' ? (before ?? after) : after
  return { events, meta: { hasMore: found.length > limit, lastSeq: events.at(-1)?.seq ?? unread } }
}

/** The newest events of a run. */
export async function eventsOfRun(ctx: Ctx, runRow: number, runId: string, limit: number): Promise<Event[]> {
  await numberEvents(ctx.db)
  const rows = await ctx.db.query<EventRow>(sql`
    select ${columns} from ${tables}
    where e.subject = ${runId} and e.subject_id = ${runRow} and e.type like 'run.%' and e.seq is not null
    order by e.seq desc limit ${limit}`)
  return rows.map(eventOf).reverse()
}

function eventOf({ slug, subject_id, actor, changes, ...row }: EventRow): Event {
  return { ...row, project: slug, subjectId: subject_id, actor: JSON.parse(actor), changes: JSON.parse(changes) }
}
