import sql from 'sql-template-tag'
import { shifted } from '../../contract/span.ts'
import { only, type Tx } from '../../engine/db.ts'
import { type Ctx, systemCtx } from '../../frame/ctx.ts'

/** The stored state of a session whose hooks are sent to the server. */
export interface HookSession {
  id: number
  /** The id of its run; null before its first prompt, and if the run no longer exists. */
  runId: string | null
  /** The hash of the token of its lease. */
  leaseHash: string | null
  /** What its hooks reported since its last turn, as the recorder stores it. */
  memo: unknown
  /** When to end its turn if it stays silent; null if none is open. */
  dueAt: string | null
}

interface HookSessionRow {
  id: number
  run_row: number | null
  lease_hash: string | null
  memo: string
  due_at: string | null
}

/** The caller's session of that agent, locked until the transaction ends; a new one if there was none. */
export async function openHookSession(ctx: Ctx, agent: string, session: string): Promise<HookSession> {
  // The update changes nothing: it locks the row that is there, so that the statement always returns one.
  const rows = await ctx.db.query<HookSessionRow>(sql`
    insert into hook_sessions (project_id, actor_id, agent, session, memo, changed_at)
    values (${ctx.project.id}, ${ctx.actor.id}, ${agent}, ${session}, 'null', ${ctx.now})
    on conflict (project_id, actor_id, agent, session) do update set memo = hook_sessions.memo
    returning id, run_row, lease_hash, memo, due_at`)
  return sessionOf(ctx, only(rows))
}

async function sessionOf(ctx: Ctx, { id, run_row, lease_hash, memo, due_at }: HookSessionRow): Promise<HookSession> {
  // In its own statement: a statement that waits for a lock does not see the run that another hook created meanwhile.
  const [run] = await ctx.db.query<{ run_id: string }>(sql`select run_id from runs where id = ${run_row}`)
  return { id, runId: run?.run_id ?? null, leaseHash: lease_hash, memo: JSON.parse(memo), dueAt: due_at }
}

export async function keepHookSession(ctx: Ctx, { id, runId, leaseHash, memo, dueAt }: HookSession): Promise<void> {
  await ctx.db.query(sql`
    update hook_sessions set lease_hash = ${leaseHash}, memo = ${JSON.stringify(memo)}, due_at = ${dueAt},
      changed_at = ${ctx.now},
      run_row = (select r.id from runs r where r.project_id = ${ctx.project.id} and r.run_id = ${runId})
    where id = ${id}`)
}

/** A session that has been silent for too long, as its actor would open it. */
export interface SilentSession {
  ctx: Ctx
  agent: string
  session: string
}

/** The sessions whose turn is due to end, a limited number at a time. */
export async function dueHookSessions(db: Tx, now: string): Promise<SilentSession[]> {
  const rows = await db.query<{ project_id: number; actor_id: number; agent: string; session: string }>(sql`
    select project_id, actor_id, agent, session from hook_sessions where due_at <= ${now} order by due_at limit 50`)
  return rows.map(({ project_id, actor_id, ...row }) => {
    const actor = { kind: 'system', id: actor_id, permissions: ['agent'] } as const
    return { ctx: { ...systemCtx(db, now, project_id, actor), contentLimit: Number.POSITIVE_INFINITY }, ...row }
  })
}

/** How long to keep a session that has no run, in milliseconds. */
const keptMs = 86_400_000
const purgedAtOnce = 500

/** Deletes sessions that never had a run, or whose run is gone. Returns whether there may be more. */
export async function purgeHookSessions(db: Tx, now: string): Promise<boolean> {
  const until = shifted(now, -keptMs)
  const old = sql`select id from hook_sessions where run_row is null and changed_at < ${until} limit ${purgedAtOnce}`
  const found = await db.query(old)
  if (found.length > 0) await db.tx((tx) => tx.query(sql`delete from hook_sessions where id in (${old})`))
  return found.length === purgedAtOnce
}
