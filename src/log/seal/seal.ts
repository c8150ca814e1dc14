import sql, { join } from 'sql-template-tag'
import type { Tx } from '../../engine/db.ts'
import { piecesOf } from '../../frame/pieces.ts'
import type { IsToGo } from '../event.ts'
import { numberEvents } from '../number.ts'
import { unpacked } from '../record.ts'
import { countNext, readSealedOnes, readUnsealed } from './event.ts'
import { eraseTexts, type StoredEvent, sealEvent } from './leaf.ts'
import { appendHashes, BrokenSeal, tileSize } from './tile.ts'

/** The number of events in the tree. Throws BrokenSeal if the ledger no longer stores it. */
export async function readSize(db: Tx): Promise<number> {
  const [row] = await db.query<{ last_seq: number }>(sql`select last_seq from followers where name = 'seal'`)
  if (row) return row.last_seq
  throw new BrokenSeal('The ledger no longer stores how much of its log is sealed.')
}

/** The most bytes of events that are sealed at once: hashing them takes tens of milliseconds, during which nobody is served. */
const bytesAtOnce = 4 * 1024 * 1024

/**
 * Adds the next events to the tree, at most up to the end of its last tile. Returns whether there may be more. Writers do not
 * wait: it reads outside a transaction, and discards what it read if another process was faster. Throws BrokenSeal if an
 * event is missing, and an Error if the database loses one meanwhile.
 */
export async function sealNext(db: Tx): Promise<boolean> {
  await numberEvents(db)
  const size = await readSize(db)
  const room = tileSize - (size % tileSize)
  const { count, hasMore } = await countNext(db, size, { limit: room, bytes: bytesAtOnce })
  const rows = await readUnsealed(db, size, count)
  if (rows.length === 0) return false
  const gap = rows.findIndex(({ seq }, at) => seq !== size + at + 1)
  if (gap >= 0) {
    // Since the size was read, another process may have sealed these events, and dropped them from the log.
    if ((await readSize(db)) > size) return true
    throw new BrokenSeal(`Event ${size + gap + 1} is missing from the log: run conduct verify.`)
  }
  const sealed = rows.map((row) => ({ seq: row.seq, ...sealEvent({ ...row, changes: unpacked(row.changes) }) }))
  await db.tx(async (tx) => {
    const [isFirst] = await tx.query(sql`update followers set last_seq = ${size + rows.length}
      where name = 'seal' and last_seq = ${size} returning 1 as one`)
    if (!isFirst) return
    await requireEvent(tx, rows.at(-1) as EventTime)
    const leaves = sealed.map(({ leaf }) => leaf)
    await appendHashes(tx, size, leaves)
    const salted = sealed.filter(({ salts }) => salts.length > 0)
    if (salted.length === 0) return
    await tx.query(sql`insert into seal_salts (seq, salts)
      values ${join(salted.map(({ seq, salts }) => sql`(${seq}, ${salts})`))}`)
  })
  return hasMore
}

type EventTime = Pick<StoredEvent, 'seq' | 'at'>

/** Throws an Error unless the event is still there. After a failover, another event may have its seq. */
async function requireEvent(tx: Tx, { seq, at }: EventTime): Promise<void> {
  const [same] = await tx.query(sql`select 1 as one from events where seq = ${seq} and at = ${at}`)
  if (!same) throw new Error(`The database lost event ${seq} while the log was sealed.`)
}

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
