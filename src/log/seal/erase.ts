import sql, { join } from 'sql-template-tag'
import type { Tx } from '../../engine/db.ts'
import { piecesOf } from '../../frame/pieces.ts'
import type { IsToGo } from '../erased-text.ts'
import { readSealedOnes } from './event.ts'
import { eraseTexts } from './leaf.ts'
import { readSize, sealNext } from './seal.ts'

/**
 * Erases the texts of events that `isToGo` selects, in the caller's transaction. The leaves stay the same. First seals the
 * log up to the last of them, so that no server that is sealing has read the texts. Returns how many events had any.
 */
export async function eraseFromEvents(tx: Tx, seqs: number[], isToGo: IsToGo): Promise<number> {
  if (seqs.length === 0) return 0
  const last = Math.max(...seqs)
  await tx.query(sql`select last_seq from followers where name = 'seal' ${tx.dialect.forUpdate}`)
  while ((await readSize(tx)) < last && (await sealNext(tx)));
  const changed = (await readSealedOnes(tx, seqs)).flatMap(({ event, salts }) => {
    const left = eraseTexts(event.changes, salts, isToGo)
    return left.salts.length === salts.length ? [] : [{ seq: event.seq, ...left }]
  })
  const statements = [
    ...changed.map(
      ({ seq, changes }) => sql`update events set changes = ${JSON.stringify(changes)} where seq = ${seq}`,
    ),
    ...piecesOf(changed).map(
      (some) => sql`insert into seal_salts (seq, salts)
        values ${join(some.map(({ seq, salts }) => sql`(${seq}, ${salts})`))}
        on conflict (seq) do update set salts = excluded.salts`,
    ),
  ]
  await Promise.all(statements.map((statement) => tx.query(statement)))
  return changed.length
}
