import { setTimeout as pause } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { localActor } from '../../src/contract/actor.ts'
import { type Ctx, systemCtx } from '../../src/frame/ctx.ts'
import { findProject } from '../../src/frame/scope.ts'
import type { Ledger } from './engines.ts'

/**
 * Starts `second` while the transaction of `first` is open. Commits that as soon as `second` waits for a lock of it; on
 * SQLite, where transactions run one after another, at once. Returns the result of `second`.
 */
export async function overlap<T>(
  { store: { db, now } }: Pick<Ledger, 'store'>,
  first: (ctx: Ctx) => Promise<unknown>,
  second: () => Promise<T>,
  slug = 'default',
): Promise<T> {
  const { id } = await findProject(db, slug, null)
  let result: Promise<T> | undefined
  await db.tx(async (tx) => {
    if (!db.dialect.commitsInOrder) await tx.query(sql`set local idle_in_transaction_session_timeout = 0`)
    await first({ ...systemCtx(tx, now(), id, localActor), contentLimit: 1_000_000 })
    result = second()
    let isOver = false
    result
      .catch(() => {})
      .finally(() => {
        isOver = true
      })
    const waits = sql`select 1 as one from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    if (db.dialect.commitsInOrder) return
    while (!isOver && (await db.query(waits)).length === 0) await pause(1)
  })
  return result as Promise<T>
}
