import sql from 'sql-template-tag'
import type { EventType } from '../../api/event.ts'
import type { Changes } from '../../ledger/event.ts'
import type { Ctx } from '../ctx.ts'
import { packed } from './changes.ts'

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
export async function record(ctx: Ctx, { type, subject, subjectId, projectId, changes, ...is }: Change) {
  const log = ctx.db.dialect.commitsInOrder ? sql`events` : sql`pending_events`
  await ctx.db.query(sql`insert into ${log} (project_id, type, subject, subject_id, actor_id, at, changes, is_append,
      imported)
    values (${projectId}, ${type}, ${subject}, ${subjectId}, ${ctx.actor.id}, ${ctx.now}, ${packed(changes)},
      ${is.isAppend ? 1 : 0}, ${is.isImported ? 1 : 0})`)
}
