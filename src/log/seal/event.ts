import sql from 'sql-template-tag'
import type { Tx } from '../../engine/db.ts'
import { countWithin } from '../../frame/page.ts'
import { listOf } from '../../frame/pieces.ts'
import { unpacked } from '../record.ts'
import type { StoredEvent } from './leaf.ts'

interface SealedEvent {
  event: StoredEvent
  salts: Buffer
}

interface SealedRow extends Omit<StoredEvent, 'changes'> {
  /** As JSON. */
  changes: string
  salts: Uint8Array | null
}

const columns = sql`e.seq, e.project_id as "projectId", e.type, e.subject, e.subject_id as "subjectId",
  a.kind as "actorKind", a.key_id as "keyId", e.at, e.imported, e.changes`

const tables = sql`events e left join actors a on a.id = e.actor_id left join seal_salts s on s.seq = e.seq`

/** With the mark of appends and the names that lists show, which the leaf does not cover. */
interface ShownRow extends SealedRow {
  isAppend: number
  actor: string | null
  project: string | null
}

interface Size {
  limit: number
  bytes: number
}

/**
 * How many of the events after the one with seq `after` to read at once: at most `limit`, and at most `bytes` of changes, if
 * that is more than one event; and whether more follow. Without reading them: each may be as large as a request.
 */
export async function countNext(db: Tx, after: number, { limit, bytes }: Size) {
  const sizes = await db.query<{ bytes: number }>(sql`
    select octet_length(changes) as bytes from events where seq > ${after} order by seq limit ${limit + 1}`)
  const count = Math.min(
    limit,
    countWithin(sizes, (size) => size.bytes, bytes),
  )
  return { count, hasMore: count < sizes.length }
}

/** At most `limit` events after the one with seq `after`, with the salts of their texts, in order. */
export async function readRows(db: Tx, after: number, limit: number): Promise<ShownRow[]> {
  const rows = await db.query<ShownRow>(sql`
    select ${columns}, e.is_append as "isAppend", a.name as actor, p.slug as project, s.salts
    from ${tables} left join projects p on p.id = e.project_id
    where e.seq > ${after} order by e.seq limit ${limit}`)
  return rows.map((row) => ({ ...row, changes: readable(row.changes) }))
}

/** As JSON. Stored changes that someone has made invalid are returned as they are, and match no leaf. */
function readable(stored: string): string {
  try {
    return unpacked(stored)
  } catch {
    return stored
  }
}

/** Like `readRows`, with parsed changes. Throws a SyntaxError for invalid JSON. */
export async function readSealed(db: Tx, after: number, limit: number): Promise<SealedEvent[]> {
  return (await readRows(db, after, limit)).map(parsed)
}

/** The events with these seqs, which must not be empty. Throws like `readSealed`. */
export async function readSealedOnes(db: Tx, seqs: number[]): Promise<SealedEvent[]> {
  const rows = await db.query<SealedRow>(
    sql`select ${columns}, s.salts from ${tables} where e.seq in (${listOf(seqs)})`,
  )
  return rows.map((row) => parsed({ ...row, changes: unpacked(row.changes) }))
}

const parsed = ({ salts, changes, ...event }: SealedRow): SealedEvent => ({
  event: { ...event, changes: JSON.parse(changes) },
  salts: Buffer.from(salts ?? []),
})

/** Reads events that are not sealed yet, and therefore have no salts. `unpacked` returns the JSON of their changes. */
export const readUnsealed = (db: Tx, after: number, limit: number): Promise<Omit<SealedRow, 'salts'>[]> =>
  db.query(sql`
    select ${columns} from events e left join actors a on a.id = e.actor_id
    where e.seq > ${after} order by e.seq limit ${limit}`)
