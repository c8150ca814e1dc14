import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import { ConductError } from '../contract/error.ts'
import type { Tx } from '../engine/db.ts'
import { countWithin } from '../frame/page.ts'
import { firstOf } from '../frame/walk.ts'
import { shownChanges } from './event.ts'
import { eventIdOf, type LogPosition } from './event-id.ts'
import type { Event, EventType } from './fields.ts'
import { unpacked } from './record.ts'

interface HeadRow {
  seq: number
  project_id: number | null
  slug: string | null
  type: EventType
  subject: string
  subject_id: number
  actor_kind: Event['actor']['kind']
  actor_key: number | null
  actor_name: string | null
  at: string
  imported: number
}

interface EventRow extends HeadRow {
  changes: string
}

const head = sql`e.seq, e.project_id, (select p.slug from projects p where p.id = e.project_id) as slug, e.type,
  e.subject, e.subject_id, a.kind as actor_kind, a.key_id as actor_key, a.name as actor_name, e.at, e.imported`
const columns = sql`${head}, e.changes`
const actors = sql`join actors a on a.id = e.actor_id`
/** The part of the log to read, both ends exclusive. */
interface Range {
  after: number
  before?: number | undefined
  order?: 'asc' | 'desc'
}

/** A part of the log: the events that meet a condition on `events e`. */
export interface LogPart {
  condition: Sql
  /** The index that serves it; missing if the key does. */
  along?: Along
}

/** An index that ends with `seq`, and the values of the two columns before it, in their order. */
type Along =
  | { index: 'events_of_project'; project_id: number | null; is_append: 0 | 1 }
  | { index: 'events_by_type'; type: EventType; project_id: number | null }
  | { index: 'events_by_subject'; subject: string; is_append: 0 | 1 }

const whole: LogPart = { condition: empty }

/**
 * An event as JSON, and what it says besides its changes. These may be large, and most readers only pass them on. The id
 * of its project decides who may read it: after a deletion, another project can have the slug.
 */
export class EventJson {
  readonly event
  readonly projectId
  readonly json

  constructor(event: Omit<Event, 'changes'>, projectId: number | null, changes: string) {
    this.event = event
    this.projectId = projectId
    this.json = `${JSON.stringify(event).slice(0, -1)},"changes":${changes}}`
  }

  toJSON(): Event {
    return JSON.parse(this.json)
  }
}

interface PageSize {
  /** The most lines. */
  limit: number
  /** The most bytes of their JSON. */
  bytes: number
}

/** A usual page takes one statement. */
const linesAtOnce = 21

/** At most `limit` events of a range that are in one of the parts, in order. No event may be in two of them. */
export async function readLines(db: Tx, range: Range, limit: number, parts?: LogPart[]): Promise<EventJson[]> {
  return (await readRows(db, range, limit, parts)).map(lineOf)
}

/**
 * As `readLines`, but only as many as have at most `bytes` of JSON together, if that is more than one; and whether more
 * follow. It reads a few at a time, since each may be as large as a request.
 */
export async function readPageOfLines(db: Tx, range: Range, { limit, bytes }: PageSize, parts?: LogPart[]) {
  const lines: EventJson[] = []
  for (;;) {
    const wanted = Math.min(linesAtOnce, limit + 1 - lines.length)
    const some = await readLines(db, onwards(range, lines.at(-1)), wanted, parts)
    lines.push(...some)
    const within = countWithin(lines, ({ json }) => Buffer.byteLength(json), bytes)
    const page = lines.slice(0, Math.min(limit, within))
    const hasMore = page.length < lines.length
    if (hasMore || some.length < wanted) return { lines: page, hasMore }
  }
}

const onwards = (range: Range, last: EventJson | undefined): Range =>
  last === undefined ? range : { ...range, [range.order === 'desc' ? 'before' : 'after']: last.event.seq }

async function readRows(db: Tx, range: Range, limit: number, parts: LogPart[] = [whole]): Promise<EventRow[]> {
  const { order = 'asc' } = range
  const walks = parts.map(({ condition, along }) => {
    const events = sql`events e ${along ? db.dialect.indexedBy(along.index) : empty}`
    const rest = sql`where ${boundsOf(db, range, along)} ${condition} order by ${orderOf(order, along)} limit`
    return {
      rows: (limit: Sql) => sql`select ${columns} from ${events} ${actors} ${rest} ${limit}`,
      head: sql`select e.seq from ${events} ${rest} 1`,
    }
  })
  const turned = order === 'desc' ? -1 : 1
  return firstOf<EventRow>(db, walks, limit, (a, b) => (a.seq - b.seq) * turned)
}

/** The ends of a range, and the place in an index. */
function boundsOf({ dialect }: Tx, { after, before = Number.MAX_SAFE_INTEGER }: Range, along: Along | undefined): Sql {
  const range = sql`e.seq > ${after} and e.seq < ${before}`
  if (!along) return range
  const place = columnsOf(along)
  const values = place.flatMap(([, value]) => value ?? [])
  if (values.length === place.length) {
    return dialect.isWithin([...place.map(([column]) => `e.${column}`), 'e.seq'], values, after, before)
  }
  // What belongs to no project, which is little.
  const conditions = place.map(([column, value]) =>
    value === null ? sql`e.${raw(column)} is null` : sql`e.${raw(column)} = ${value}`,
  )
  return join([...conditions, range], ' and ')
}

/** By all columns of the index, so that no other one has that order: an engine might walk along the whole log instead. */
const orderOf = (order: 'asc' | 'desc', along: Along | undefined): Sql =>
  raw([...(along ? columnsOf(along) : []), ['seq']].map(([column]) => `e.${column} ${order}`).join(', '))

const columnsOf = ({ index, ...columns }: Along) => Object.entries(columns) as [string, string | number | null][]

/** The event with that seq, or the newest numbered one, without its changes; undefined if there is none. */
async function readHead(db: Tx, seq: number | 'newest'): Promise<EventJson['event'] | undefined> {
  const which = seq === 'newest' ? sql`order by e.seq desc limit 1` : sql`where e.seq = ${seq}`
  const [row] = await db.query<HeadRow>(sql`select ${head} from events e ${actors} ${which}`)
  return row && headOf(row)
}

/** The seq of the oldest event that is there; 1 on an empty log. */
export async function firstSeq(db: Tx): Promise<number> {
  const [row] = await db.query<{ seq: number }>(sql`select coalesce(min(seq), 1) as seq from events`)
  return row?.seq ?? 1
}

/** The seq of the newest numbered event; 0 on an empty log. */
export async function lastSeq(db: Tx): Promise<number> {
  const [row] = await db.query<{ seq: number }>(sql`select coalesce(max(seq), 0) as seq from events`)
  return row?.seq ?? 0
}

function headOf(row: HeadRow): EventJson['event'] {
  const { seq, project_id: projectId, slug, type, subject, subject_id: subjectId, at, imported } = row
  const { actor_kind, actor_key, actor_name } = row
  const actor = {
    kind: actor_kind,
    ...(actor_key !== null && { keyId: actor_key }),
    ...(actor_name !== null && { name: actor_name }),
  }
  return {
    seq,
    id: eventIdOf({ seq, projectId, type, subject, subjectId, actorKind: actor_kind, keyId: actor_key, at }),
    project: slug,
    type,
    subject,
    subjectId,
    actor,
    at,
    ...(imported === 1 && { imported: true as const }),
  }
}

const lineOf = (row: EventRow) => new EventJson(headOf(row), row.project_id, shownIn(row.changes))

/** The JSON of stored changes. Handles erased texts only if there are any: most events have none. */
function shownIn(stored: string): string {
  const changes = unpacked(stored)
  return changes.includes('{"erased":"') ? JSON.stringify(shownChanges(JSON.parse(changes))) : changes
}

/** The position of the newest numbered event; seq 0 on an empty log. */
export async function readEnd(db: Tx): Promise<LogPosition> {
  const newest = await readHead(db, 'newest')
  return newest ? { seq: newest.seq, id: newest.id } : { seq: 0 }
}

/** The id of the event with that seq; undefined if there is none. */
export const readEventId = async (db: Tx, seq: number): Promise<string | undefined> => (await readHead(db, seq))?.id

/**
 * A reader's position with the id of its event. Throws LOG_FORKED if the log ends before it, or has another event there;
 * EVENTS_DROPPED if events after it are no longer in the log. A reader that continues checks its position afterwards,
 * because the database may change between two statements.
 */
export async function requirePlace(db: Tx, { seq, id }: LogPosition): Promise<LogPosition> {
  const first = await requireKept(db, seq)
  // The event before the first was dropped, so nobody can tell whether the reader's was the same.
  if (seq === first - 1) return { seq }
  const found = await readEventId(db, seq)
  if (found !== undefined && found === (id ?? found)) return { seq, id: found }
  const end = await lastSeq(db)
  if (seq <= end && id === undefined) return { seq }
  const fault =
    seq > end
      ? `The log ends with event ${end}, and this reader has event ${seq}: the database has lost events.`
      : `The log has another event ${seq} than this reader (${id}): the database has lost events, and other events have their numbers.`
  throw new ConductError('LOG_FORKED', `${fault} Read the ledger again, then follow from the end of the log.`)
}

/** The oldest event that is there. Throws EVENTS_DROPPED if events after `seq` are no longer in the log. */
export async function requireKept(db: Tx, seq: number): Promise<number> {
  const first = await firstSeq(db)
  if (seq >= first - 1) return first
  throw new ConductError(
    'EVENTS_DROPPED',
    `The log begins with event ${first}, and the events after ${seq} were dropped: read the ledger itself, then continue after ${first - 1}.`,
    { firstSeq: first },
  )
}
