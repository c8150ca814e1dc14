import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import type { Db, Tx } from '../../src/engine/db.ts'
import { numberEvents } from '../../src/log/number.ts'
import { signTree } from '../../src/log/seal/checkpoint.ts'
import { readSealed } from '../../src/log/seal/event.ts'
import { leafOf, type StoredEvent, sealEvent } from '../../src/log/seal/leaf.ts'
import { newKeyPair } from '../../src/log/seal/signed-note.ts'
import { appendHashes, readLeaves, tileSize } from '../../src/log/seal/tile.ts'

/** The place in a ledger where a proof changes the database, unnoticed by its server. */
export interface Spot {
  /** The first event that was not dropped. */
  first: number
  /** An event that an anchor covers, not the last of the log. */
  seq: number
  /** A later event that an anchor covers. */
  later: number
  /** Any number. Chooses among the ways of a change. */
  way: number
}

/** Changes the database by SQL. Returns the first event that is not as it was. */
type Sabotage = (db: Db, spot: Spot) => Promise<number>

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

/** Removes everything that the seal holds about events after `size`. */
async function cutSeal(tx: Tx, size: number): Promise<void> {
  await tx.query(sql`delete from seal_salts where seq > ${size}`)
  await tx.query(sql`delete from seal_checkpoints where size > ${size}`)
  await rebuildTiles(tx, size)
}

/** Computes the whole stored tree again, from the existing salts and the leaves of dropped events. */
async function rebuildTiles(tx: Tx, size: number): Promise<void> {
  const old = await readLeaves(tx, 0, size)
  await tx.query(sql`delete from seal_tiles`)
  await tx.query(sql`update followers set last_seq = ${size} where name = 'seal'`)
  const events = await readSealed(tx, 0, size)
  const sealed = events.filter(({ event }) => event.seq <= size)
  const leaves = new Map(sealed.map(({ event, salts }) => [event.seq, leafOf(event, salts)]))
  const all = Array.from({ length: size }, (_, at) => leaves.get(at + 1) ?? (old[at] as Buffer))
  for (let start = 0; start < size; start += tileSize) {
    await appendHashes(tx, start, all.slice(start, start + tileSize))
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
  // Filtered lists no longer show it, or timelines show each.
  async mark(db, { seq, way }) {
    // What the first change of a run after dropped events was, nobody can tell.
    const wrong = sql`case when is_append = 0 and type = 'run.updated' or ${way % 3} = 0 then 2 else 1 - is_append end`
    await db.tx((tx) => tx.query(sql`update events set is_append = ${wrong} where seq = ${seq}`))
    return seq
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
        // Two equal events would be the same after a swap.
        sql`update events set at = '2001-01-01T00:00:00.000Z' where seq = ${seq}`,
      ]),
    )
    return seq
  },
  async behead(db, { seq, first }) {
    await db.tx((tx) =>
      all(tx, [sql`delete from events where seq <= ${seq}`, sql`delete from seal_salts where seq <= ${seq}`]),
    )
    return first
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

/** Changes that no event shows exactly: of names, of keys, and of what was dropped. They return what `verify` must say. */
export const unlocated: Record<string, (db: Db, spot: Spot) => Promise<RegExp>> = {
  async name(db, { seq, way }) {
    const newest = sql`id = (select max(id) from keys)`
    const ofEvent = (column: string) => sql`(select ${raw(column)} from events where seq = ${seq})`
    const ways = [
      sql`update actors set name = 'forged' where id = ${ofEvent('actor_id')}`,
      // Later calls of the proof are for the first project.
      sql`update projects set slug = case when id = 1 then slug else 'forged' end, name = 'forged'
        where id = 1 or id = ${ofEvent('project_id')}`,
      sql`update projects set name = 'forged' where id = 1`,
      sql`update keys set name = 'forged' where ${newest}`,
      sql`update keys set person = 'Eve <eve@example.com>' where ${newest}`,
      sql`update keys set permissions = 'admin write' where ${newest}`,
      sql`update keys set revoked_at = '2001-01-01T00:00:00.000Z' where ${newest}`,
    ]
    await db.tx((tx) => tx.query(ways[way % ways.length] as Sql))
    return /^(?:Event \d+ shows|The \w+ of (?:key|project)|No event of the log created|the names of )/
  },
  async feign(db, { seq }) {
    await numberEvents(db)
    const changes = JSON.stringify({ what: [null, 'log'], first: [null, seq + 1] })
    await db.tx((tx) =>
      all(tx, [
        sql`delete from events where seq <= ${seq}`,
        sql`delete from seal_salts where seq <= ${seq}`,
        sql`insert into events (seq, type, subject, subject_id, actor_id, at, changes)
          select max(seq) + 1, 'erasure.created', '7', 7, -2, max(at), ${changes} from events`,
      ]),
    )
    return new RegExp(`^events 1 to ${seq}: only their leaves are left`)
  },
}

async function replaceKey(tx: Tx): Promise<void> {
  const { privateKey, publicKey } = newKeyPair()
  await tx.query(sql`update seal_keys set private_key = ${privateKey}, public_key = ${publicKey}`)
}

/** The tables of the log and its seal, with their columns. */
const tables = {
  events: 'seq, project_id, type, subject, subject_id, actor_id, at, changes, is_append, imported',
  seal_tiles: 'level, n, hashes',
  seal_salts: 'seq, salts',
  seal_checkpoints: 'size, root, note, created_at',
  seal_keys: 'id, origin, private_key, public_key',
}

/** What events refer to, with the columns that a change by SQL may touch. */
const named = {
  actors: ['name'],
  projects: ['slug', 'name'],
  keys: ['name', 'person', 'permissions', 'revoked_at'],
}

async function readNamed(db: Tx): Promise<Sql[]> {
  const statements: Sql[] = [sql`update projects set slug = slug || '~' || id`]
  for (const [table, columns] of Object.entries(named)) {
    const rows = await db.query<Record<string, unknown>>(sql`select id, ${raw(columns.join(', '))} from ${raw(table)}`)
    for (const row of rows) {
      const values = join(columns.map((column) => sql`${raw(column)} = ${row[column]}`))
      statements.push(sql`update ${raw(table)} set ${values} where id = ${row.id}`)
    }
  }
  return statements
}

/** Copies the log and the names in it as they are now. The returned function restores that copy, like an old file of the database. */
export async function keepCopy(db: Db): Promise<() => Promise<number>> {
  await numberEvents(db)
  const [seal] = await db.query<{ last_seq: number }>(sql`select last_seq from followers where name = 'seal'`)
  const [last] = await db.query<{ seq: number }>(sql`select max(seq) as seq from events`)
  const end = last?.seq ?? 0
  const names = await readNamed(db)
  const kept: { table: string; columns: string; rows: Record<string, unknown>[] }[] = []
  for (const [table, columns] of Object.entries(tables)) {
    const rows = await db.query<Record<string, unknown>>(sql`select ${raw(columns)} from ${raw(table)}`)
    kept.push({ table, columns, rows })
  }
  return async () => {
    await numberEvents(db)
    return db.tx(async (tx) => {
      for (const { table, columns, rows } of kept) {
        await tx.query(sql`delete from ${raw(table)}`)
        if (rows.length === 0) continue
        const values = rows.map((row) => sql`(${join(columns.split(', ').map((column) => row[column]))})`)
        const ownIds = table === 'seal_keys' ? tx.dialect.ownIds : empty
        await tx.query(sql`insert into ${raw(table)} (${raw(columns)}) ${ownIds} values ${join(values)}`)
      }
      await tx.query(sql`update followers set last_seq = ${seal?.last_seq} where name = 'seal'`)
      await all(tx, names)
      if (tx.dialect.commitsInOrder) await all(tx, tx.dialect.setLastId('events', end))
      return end + 1
    })
  }
}
