import sql from 'sql-template-tag'
import { only } from '../engine/db.ts'
import type { Ctx } from '../frame/ctx.ts'
import type { Changes } from './event.ts'
import { record } from './record.ts'

/** Records the event of an erasure in the caller's transaction. `told` contains none of the texts. */
export async function recordErasure(ctx: Ctx, projectId: number | null, told: Record<string, unknown>): Promise<void> {
  const rows = await ctx.db.query<{ id: number }>(sql`insert into erasures (project_id, created_by, created_at)
    values (${projectId}, ${ctx.actor.id}, ${ctx.now}) returning id`)
  const { id } = only(rows)
  const changes: Changes = {}
  for (const [field, value] of Object.entries(told)) changes[field] = [null, value]
  await record(ctx, { type: 'erasure.created', subject: String(id), subjectId: id, projectId, changes })
}
