import sql, { empty, join } from 'sql-template-tag'
import { adminNouns, type Changes, type Event, type EventType } from '../event.ts'
import { permits } from '../key.ts'
import type { Ctx, Operation } from './ctx.ts'
import type { Db } from './db.ts'
import { confinementOf, visibleProjects } from './scope.ts'

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
export async function numberEvents(db: Db): Promise<void> {
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

/** The log after `after`. Events of keys and projects are for admins of the whole server. NOT_FOUND for an unknown project. */
export const listEvents: Operation<'listEvents'> = async (ctx, { project, after, limit }) => {
  const scope = await visibleProjects(ctx, project)
  await numberEvents(ctx.db)
  const isServerAdmin = permits(ctx.actor.permissions, 'admin') && confinementOf(ctx) === null
  const rows = await ctx.db.query<EventRow>(sql`
    select e.seq, p.slug, e.type, e.subject, e.subject_id, e.actor, e.at, e.changes
    from events e left join projects p on p.id = e.project_id
    where e.seq > ${after}
      ${scope.all ? empty : sql`and e.project_id in (${join(scope.projects.map(({ id }) => id))})`}
      ${
        isServerAdmin
          ? empty
          : join(
              adminNouns.map((noun) => sql`and e.type not like ${`${noun}.%`}`),
              ' ',
            )
      }
    order by e.seq limit ${limit + 1}`)
  const events = rows.slice(0, limit).map(eventOf)
  return { events, meta: { hasMore: rows.length > limit, lastSeq: events.at(-1)?.seq ?? after } }
}

function eventOf({ slug, subject_id, actor, changes, ...row }: EventRow): Event {
  return { ...row, project: slug, subjectId: subject_id, actor: JSON.parse(actor), changes: JSON.parse(changes) }
}
