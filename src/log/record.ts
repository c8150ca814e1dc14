import sql, { join, type Sql } from 'sql-template-tag'
import type { Ctx } from '../frame/ctx.ts'
import { piecesOf } from '../frame/pieces.ts'
import { packed } from './changes.ts'
import type { Changes } from './event.ts'
import type { EventType } from './fields.ts'

export interface Change {
  type: EventType
  subject: string
  subjectId: number
  /** The row id of its project; null if it belongs to the whole server. */
  projectId: number | null
  changes: Changes
  /**
   * Whether it only appends to a run, with the type run.updated. Timelines count such events instead of showing each.
   */
  isAppend?: boolean
  /** Whether it happened at an earlier time that the caller gave. */
  isImported?: boolean
}

/** Appends a change to the log, in the transaction that makes it. */
export const record = (ctx: Ctx, change: Change): Promise<void> => recordAll(ctx, [change])

/** Appends changes to the log, in their order. */
export async function recordAll(ctx: Ctx, changes: Change[]): Promise<void> {
  const log = ctx.db.dialect.commitsInOrder ? sql`events` : sql`pending_events`
  for (const some of piecesOf(changes)) {
    await ctx.db.query(sql`insert into ${log} (project_id, type, subject, subject_id, actor_id, at, changes, is_append,
        imported)
      values ${join(some.map((change) => valuesOf(ctx, change)))}`)
  }
}

const valuesOf = (ctx: Ctx, { type, subject, subjectId, projectId, changes, ...is }: Change): Sql =>
  sql`(${projectId}, ${type}, ${subject}, ${subjectId}, ${ctx.actor.id}, ${ctx.now}, ${packed(changes)},
    ${is.isAppend ? 1 : 0}, ${is.isImported ? 1 : 0})`
