import sql, { raw, type Sql } from 'sql-template-tag'
import { newKeyPair } from '../../src/ledger/checkpoint.ts'
import { leafOf, type StoredEvent, sealEvent } from '../../src/ledger/leaf.ts'
import type { Db, Tx } from '../../src/store/engine/db.ts'
import { signTree } from '../../src/store/seal/checkpoint.ts'
import { readSealed } from '../../src/store/seal/event.ts'
import { appendHashes, tileSize } from '../../src/store/seal/tile.ts'

/** Where a ledger is changed behind the back of its server. */
export interface Spot {
  /** An event that an anchor covers, not the last of the log. */
  seq: number
  /** A later one of these. */
  later: number
  /** Any number, to choose among ways. */
  way: number
}

/** A change of the database by SQL; returns the first event that is not what it was. */
export type Sabotage = (db: Db, spot: Spot) => Promise<number>

const jsonOf = (event: StoredEvent) => ({ ...event, changes: JSON.stringify(event.changes) })

const all = async (db: Tx, statements: Sql[]) => {
  for (const one of statements) await db.query(one)
}

async function change(db: Tx, { seq, way }: Spot): Promise<void> {
  const ways = [
    sql`changes = '{"title":[null,"forged"]}'`,
    sql`at = '2001-01-01T00:00:00.000Z'`,
    sql`subject = 'FORGED'`,
    sql`imported = 1 - imported`,
    sql`actor_id = case when actor_id = 0 then -1 else 0 end`,
    sql`project_id = coalesce(project_id, 0) + 1`,
  ]
  await db.query(sql`update events set ${ways[way % ways.length] as Sql} where seq = ${seq}`)
}

/** Cuts all that the seal holds of events after `size`. */
async function cutSeal(tx: Tx, size: number): Promise<void> {
  await tx.query(sql`delete from seal_salts where seq > ${size}`)
  await tx.query(sql`delete from seal_checkpoints where size > ${size}`)
  await rebuildTiles(tx, size)
}

/** Computes the whole stored tree anew, with the salts that are there. */
async function rebuildTiles(tx: Tx, size: number): Promise<void> {
  await tx.query(sql`delete from seal_tiles`)
  await tx.query(sql`update followers set last_seq = ${size} where name = 'seal'`)
  for (let start = 0; start < size; start += tileSize) {
    const events = await readSealed(tx, start, Math.min(tileSize, size - start))
    const leaves = events.map(({ event, salts }) => leafOf(event, salts))
    await appendHashes(tx, start, leaves)
  }
}

async function resalt(tx: Tx, seq: number): Promise<void> {
  const [found] = await readSealed(tx, seq - 1, 1)
  if (!found) return
  await tx.query(sql`delete from seal_salts where seq = ${seq}`)
  await tx.query(sql`insert into seal_salts (seq, salts) values (${seq}, ${sealEvent(jsonOf(found.event)).salts})`)
}

export const sabotages: Record<string, Sabotage> = {
  async change(db, spot) {
    await db.tx((tx) => change(tx, spot))
    return spot.seq
  },
  async unread(db, { seq }) {
    await db.tx((tx) => tx.query(sql`update events set changes = '[' where seq = ${seq}`))
    return seq
  },
  async delete(db, { seq }) {
    await db.tx((tx) => tx.query(sql`delete from events where seq = ${seq}`))
    return seq
  },
  async insert(db, { seq }) {
    const columns = raw('project_id, type, subject_id, actor_id, at, changes, is_append, imported')
    await db.tx((tx) =>
      all(tx, [
        sql`update events set seq = -(seq + 1) where seq > ${seq}`,
        sql`update events set seq = -seq where seq < 0`,
        sql`insert into events (seq, subject, ${columns}) select seq + 1, 'FORGED', ${columns} from events where seq = ${seq}`,
      ]),
    )
    return seq + 1
  },
  async swap(db, { seq, later }) {
    await db.tx((tx) =>
      all(tx, [
        sql`update events set seq = ${-later} where seq = ${seq}`,
        sql`update events set seq = ${seq} where seq = ${later}`,
        sql`update events set seq = -seq where seq < 0`,
        // So that they are two different ones.
        sql`update events set at = '2001-01-01T00:00:00.000Z' where seq = ${seq}`,
      ]),
    )
    return seq
  },
  async cut(db, { seq, way }) {
    await db.tx(async (tx) => {
      await tx.query(sql`delete from events where seq > ${seq}`)
      if (way % 2 === 0) await cutSeal(tx, seq)
    })
    return seq + 1
  },
  async recompute(db, spot) {
    await db.tx(async (tx) => {
      const [last] = await tx.query<{ last_seq: number }>(sql`select last_seq from followers where name = 'seal'`)
      await change(tx, spot)
      await resalt(tx, spot.seq)
      await rebuildTiles(tx, last?.last_seq ?? 0)
      await tx.query(sql`delete from seal_checkpoints`)
      if (spot.way % 3 === 0) await replaceKey(tx)
    })
    await signTree(db, new Date().toISOString())
    return spot.seq
  },
}

async function replaceKey(tx: Tx): Promise<void> {
  const { privateKey, publicKey } = newKeyPair()
  await tx.query(sql`update seal_keys set private_key = ${privateKey}, public_key = ${publicKey}`)
}

/** Keeps how a ledger is now; what it returns brings that back, as the copy of an old file would. */
export async function keepCopy(db: Db): Promise<() => Promise<number>> {
  const tables = {
    seal_tiles: 'level, n, hashes',
    seal_salts: 'seq, salts',
    seal_checkpoints: 'size, root, note, created_at',
  }
  const events = await db.query<{ seq: number; changes: string }>(sql`select seq, changes from events order by seq`)
  const end = events.at(-1)
  const [seal] = await db.query<{ last_seq: number }>(sql`select last_seq from followers where name = 'seal'`)
  const kept = await Promise.all(
    Object.entries(tables).map(async ([table, columns]) => ({
      table: raw(table),
      columns,
      rows: await db.query<Record<string, unknown>>(sql`select ${raw(columns)} from ${raw(table)}`),
    })),
  )
  return () =>
    db.tx(async (tx) => {
      await tx.query(sql`delete from events where seq > ${end?.seq}`)
      // Texts may have been erased since.
      for (const { seq, changes } of events) {
        await tx.query(sql`update events set changes = ${changes} where seq = ${seq}`)
      }
      await tx.query(sql`update followers set last_seq = ${seal?.last_seq} where name = 'seal'`)
      for (const { table, columns, rows } of kept) {
        await tx.query(sql`delete from ${table}`)
        for (const row of rows) {
          const values = columns.split(', ').map((column) => row[column])
          const list = values.map((value) => sql`${value}`).reduce((a, b) => sql`${a}, ${b}`)
          await tx.query(sql`insert into ${table} (${raw(columns)}) values (${list})`)
        }
      }
      return (end?.seq ?? 0) + 1
    })
}
