import sql from 'sql-template-tag'
import type { StoredEvent } from '../../ledger/leaf.ts'
import type { Tx } from '../engine/db.ts'
import { unpacked } from '../log/changes.ts'

export interface SealedEvent {
  event: StoredEvent
  salts: Buffer
}

interface Row extends Omit<StoredEvent, 'changes'> {
  /** As JSON. */
  changes: string
  salts: Uint8Array | null
}

const columns = sql`e.seq, e.project_id as "projectId", e.type, e.subject, e.subject_id as "subjectId",
  a.kind as "actorKind", a.key_id as "keyId", e.at, e.imported, e.changes`

/** At most `limit` events from the one after `after` on, with the salts of their texts, in order. */
export async function readRows(db: Tx, after: number, limit: number): Promise<Row[]> {
  const rows = await db.query<Row>(sql`
    select ${columns}, s.salts
    from events e left join actors a on a.id = e.actor_id left join seal_salts s on s.seq = e.seq
    where e.seq > ${after} order by e.seq limit ${limit}`)
  return rows.map((row) => ({ ...row, changes: readable(row.changes) }))
}

/** As JSON; what somebody made of it that is none comes as it is, and fits no leaf. */
function readable(stored: string): string {
  try {
    return unpacked(stored)
  } catch {
    return stored
  }
}

/** As `readRows`, with what changed. Throws a SyntaxError for changes that are no JSON. */
export async function readSealed(db: Tx, after: number, limit: number): Promise<SealedEvent[]> {
  const rows = await readRows(db, after, limit)
  return rows.map(({ salts, changes, ...event }) => ({
    event: { ...event, changes: JSON.parse(changes) },
    salts: Buffer.from(salts ?? []),
  }))
}

/** Reads events that are not sealed yet, and so have no salts. `unpacked` gives the JSON of their changes. */
export const readUnsealed = (db: Tx, after: number, limit: number): Promise<Omit<Row, 'salts'>[]> =>
  db.query(sql`
    select ${columns} from events e left join actors a on a.id = e.actor_id
    where e.seq > ${after} order by e.seq limit ${limit}`)
