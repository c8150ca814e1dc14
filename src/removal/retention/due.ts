import sql, { type Sql } from 'sql-template-tag'
import type { Tx } from '../../engine/db.ts'
import { lockIndex } from '../../find/follow.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { listOf } from '../../frame/pieces.ts'
import { type Aging, fateOf, hasTexts, type Retention } from '../../nouns/project/retention.ts'
import type { RunRow } from '../../nouns/run/row.ts'

/** The columns of `runs` that `fateOf` needs. */
export interface AgingRow {
  id: number
  project_id: number
  run_id: string
  status: RunRow['status']
  ended_at: string | null
  updated_at: string
  labels: string
  expired_at: string | null
  /** The last change of its checks. A check does not change its run. */
  checked_at: string | null
}

export const agingColumns = sql`id, project_id, run_id, status, ended_at, updated_at, labels, expired_at,
  (select max(c.updated_at) from checks c where c.run_id = runs.id) as checked_at`

const agingOf = (row: AgingRow): Aging => ({
  status: row.status,
  endedAt: row.ended_at,
  updatedAt: row.updated_at,
  labels: row.labels === '{}' ? [] : Object.keys(JSON.parse(row.labels)),
  expiredAt: row.expired_at,
  checkedAt: row.checked_at,
})

/** A run that its project no longer keeps whole. */
export interface Due {
  run: AgingRow
  fate: 'erased' | 'deleted'
  isDue(row: AgingRow): boolean
}

/** What is due for a run; undefined if it is kept as it is. */
export function dueOf(run: AgingRow, retention: Retention | undefined, now: string): Due | undefined {
  const fate = retention ? fateOf(agingOf(run), retention, now) : 'kept'
  if (retention === undefined || fate === 'kept') return undefined
  return { run, fate, isDue: (row) => fateOf(agingOf(row), retention, now) === fate }
}

export const isToErase = ({ run }: Due) => hasTexts(agingOf(run))

/**
 * Runs `work` in a transaction that locks these runs and the index of words, for those that are still due. A run that
 * somebody changed, checked or gave a text meanwhile may have events that nobody has numbered yet: it waits for the next pass.
 */
export function whileDue<T>(ctx: Ctx, due: readonly Due[], work: (ctx: Ctx, left: Due[]) => Promise<T>): Promise<T> {
  return ctx.db.tx(async (tx) => {
    await lockIndex(tx)
    const ids = listOf(due.map(({ run }) => run.id))
    await tx.query(sql`select id from runs where id in (${ids}) order by id ${tx.dialect.forUpdate}`)
    // In its own statement: a statement that waits for a lock does not see checks recorded meanwhile.
    const rows = await tx.query<AgingRow>(sql`select ${agingColumns} from runs where id in (${ids})`)
    const now = new Map(rows.map((row) => [row.id, row]))
    const unnumbered = await withUnnumbered(tx, ids)
    const left = due.filter(({ run, isDue }) => {
      const row = now.get(run.id)
      const isSame =
        !unnumbered.has(run.id) &&
        row?.updated_at === run.updated_at &&
        row.expired_at === run.expired_at &&
        (row.checked_at ?? '') <= (run.checked_at ?? '')
      return isSame && isDue(row)
    })
    return work({ ...ctx, db: tx }, left)
  })
}

/** Which of these runs have events that nobody has numbered yet. A diff or a note is an event, and no change of its run. */
async function withUnnumbered(tx: Tx, ids: Sql): Promise<Set<number>> {
  if (tx.dialect.commitsInOrder) return new Set()
  const found = await tx.query<{ id: number }>(sql`
    select r.id from runs r where r.id in (${ids}) and exists (select 1 from pending_events e
      where e.project_id = r.project_id
        and (e.subject = r.run_id or e.subject > r.run_id || '/' and e.subject < r.run_id || '0'))`)
  return new Set(found.map(({ id }) => id))
}
