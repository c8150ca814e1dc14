import sql from 'sql-template-tag'
import type { Ctx } from '../ctx.ts'

/** The stored state of a session whose hooks are sent to the server. */
export interface HookSession {
  id: number
  /** The id of its run; null before its first prompt, and if the run no longer exists. */
  runId: string | null
  leaseToken: string | null
  /** What its hooks reported since its last turn, as the reader of hooks stores it. */
  memo: unknown
}

/** The caller's session of that agent, locked until the transaction ends; a new one if there was none. */
export async function openHookSession(ctx: Ctx, agent: string, session: string): Promise<HookSession> {
  const of = sql`project_id = ${ctx.project.id} and actor_id = ${ctx.actor.id} and agent = ${agent} and session = ${session}`
  await ctx.db.query(sql`
    insert into hook_sessions (project_id, actor_id, agent, session, memo)
    values (${ctx.project.id}, ${ctx.actor.id}, ${agent}, ${session}, 'null') on conflict do nothing`)
  const [row] = await ctx.db.query<{ id: number; run: string | null; lease_token: string | null; memo: string }>(sql`
    select id, (select r.run_id from runs r where r.id = hook_sessions.run_row) as run, lease_token, memo
    from hook_sessions where ${of} ${ctx.db.dialect.forUpdate}`)
  const { id, run, lease_token, memo } = row as NonNullable<typeof row>
  return { id, runId: run, leaseToken: lease_token, memo: JSON.parse(memo) }
}

export async function keepHookSession(ctx: Ctx, { id, runId, leaseToken, memo }: HookSession): Promise<void> {
  await ctx.db.query(sql`
    update hook_sessions set lease_token = ${leaseToken}, memo = ${JSON.stringify(memo)},
      run_row = (select r.id from runs r where r.project_id = ${ctx.project.id} and r.run_id = ${runId})
    where id = ${id}`)
}
