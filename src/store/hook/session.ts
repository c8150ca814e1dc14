import sql from 'sql-template-tag'
import type { Ctx } from '../ctx.ts'
import { only } from '../engine/db.ts'

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
  // The update changes nothing: it locks the row that is there, so that the statement always returns one.
  const rows = await ctx.db.query<{ id: number; run_row: number | null; lease_token: string | null; memo: string }>(sql`
    insert into hook_sessions (project_id, actor_id, agent, session, memo)
    values (${ctx.project.id}, ${ctx.actor.id}, ${agent}, ${session}, 'null')
    on conflict (project_id, actor_id, agent, session) do update set memo = hook_sessions.memo
    returning id, run_row, lease_token, memo`)
  const { id, run_row, lease_token, memo } = only(rows)
  // In a statement of its own: one that waits for a lock does not see the run that another hook created meanwhile.
  const [run] = await ctx.db.query<{ run_id: string }>(sql`select run_id from runs where id = ${run_row}`)
  return { id, runId: run?.run_id ?? null, leaseToken: lease_token, memo: JSON.parse(memo) }
}

export async function keepHookSession(ctx: Ctx, { id, runId, leaseToken, memo }: HookSession): Promise<void> {
  await ctx.db.query(sql`
    update hook_sessions set lease_token = ${leaseToken}, memo = ${JSON.stringify(memo)},
      run_row = (select r.id from runs r where r.project_id = ${ctx.project.id} and r.run_id = ${runId})
    where id = ${id}`)
}
