import sql from 'sql-template-tag'
import type { Tx } from '../../engine/db.ts'
import { listOf } from '../../frame/pieces.ts'

/**
 * Makes retention erase the texts of runs again, although the runs have not changed: what belongs to them has got a text. The
 * caller has locked the runs.
 */
export async function noteTexts(db: Tx, runs: readonly number[]): Promise<void> {
  await db.query(sql`update runs set expired_at = null where id in (${listOf(runs)}) and expired_at is not null`)
}
