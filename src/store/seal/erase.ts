import sql from 'sql-template-tag'
import type { IsToGo } from '../../ledger/erase.ts'
import { eraseTexts } from '../../ledger/leaf.ts'
import type { Tx } from '../engine/db.ts'
import { readSealed } from './event.ts'
import { readSize, sealNext } from './seal.ts'

/**
 * Erases the texts of an event that `isToGo` selects, in the caller's transaction. The leaf stays the same. First seals
 * the log up to the event, so that no server that is sealing has read the text. Returns whether anything was erased.
 */
export async function eraseFromEvent(tx: Tx, seq: number, isToGo: IsToGo): Promise<boolean> {
  await tx.query(sql`select last_seq from followers where name = 'seal' ${tx.dialect.forUpdate}`)
  while ((await readSize(tx)) < seq && (await sealNext(tx)));
  const [found] = await readSealed(tx, seq - 1, 1)
  if (found?.event.seq !== seq) return false
  const { changes, salts } = eraseTexts(found.event.changes, found.salts, isToGo)
  if (salts.length === found.salts.length) return false
  await tx.query(sql`update events set changes = ${JSON.stringify(changes)} where seq = ${seq}`)
  await tx.query(sql`update seal_salts set salts = ${salts} where seq = ${seq}`)
  return true
}
