import { setImmediate as turn } from 'node:timers/promises'
import sql, { join, raw, type Sql } from 'sql-template-tag'
import { ConductError, invalid } from '../contract/error.ts'
import type { Order, PageInput } from '../contract/field.ts'
import type { Tx } from '../engine/db.ts'
import { firstOf, type Walk as Ordered, unionOf } from './walk.ts'

/** A walk along one index: rows that satisfy `where`, ordered by created_at and id of the leading table. */
export interface IndexWalk {
  /** `runs`, or the side table with the leading index, joined to it. */
  from: Sql
  where: Sql[]
  /** The ordering columns of the leading table. */
  createdAt: string
  id: string
}

/** The ordering columns of a walk through one project or a few rows of a table. */
export const byTime = (table: string) => ({ createdAt: `${table}.created_at`, id: `${table}.id` })

/** Those of a walk through the rows of all projects, as its index has them. */
export const byTimeEverywhere = (table: string) => ({ ...byTime(table), createdAt: `(${table}.created_at || '')` })

export interface Positioned {
  id: number
  created_at: string
}

/** The bytes of large rows in one page, so that no request reads much more. */
export const pageBytes = 8 * 1024 * 1024

/** How many of these rows one page has: the first, and those after it with which all are within `most` bytes. */
export function countWithin<Row>(rows: readonly Row[], bytesOf: (row: Row) => number, most: number): number {
  let bytes = 0
  const end = rows.findIndex((row, index) => {
    bytes += bytesOf(row)
    return index > 0 && bytes > most
  })
  return end < 0 ? rows.length : end
}

/** The rows of one page: at most `limit`, and no more than have `most` bytes together, unless it is the first. */
export const pageOf = <Row>(found: readonly Row[], limit: number, bytesOf: (row: Row) => number, most: number): Row[] =>
  found.slice(0, Math.min(limit, countWithin(found, bytesOf, most)))

/** What a response says of the rows after a page of what was found. */
export function moreAfter<Row>(page: readonly Row[], found: readonly unknown[], cursorOf: (last: Row) => string) {
  const last = page.at(-1)
  return last !== undefined && found.length > page.length
    ? { hasMore: true, nextCursor: cursorOf(last) }
    : { hasMore: false }
}

/** A place in a list, in words and numbers, as a cursor. */
export const cursorOf = (...place: (string | number)[]) => Buffer.from(place.join(' ')).toString('base64url')

/** The parts of a cursor, as the groups of `form`. Throws BAD_REQUEST for what `cursorOf` did not return for that form. */
export function placeOf(cursor: string, form: RegExp): string[] {
  const [text, ...place] = form.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (text !== undefined && cursorOf(text) === cursor) return place
  throw new ConductError('BAD_REQUEST', `The cursor '${cursor}' does not come from this list: start again without it.`)
}

/** The times between which the rows of a list were created, both exclusive. */
export interface TimeSpan {
  createdAfter?: string | undefined
  createdBefore?: string | undefined
}

/**
 * One page of the rows that any of `walks` finds; no two walks may find the same row. Each walk reads at most a page
 * from its own index, so the time does not depend on the number of rows. Rows that have `bytes` may end the page before
 * `limit`. Throws BAD_REQUEST for a cursor of another order; VALIDATION_ERROR for an empty span.
 */
export async function readPage<Row extends Positioned & { bytes?: number }>(
  db: Tx,
  columns: Sql,
  walks: IndexWalk[],
  input: PageInput & TimeSpan,
) {
  const { limit, order } = input
  const after = positionIn(input)
  const turned = order === 'desc' ? -1 : 1
  const ordered = walks.map((walk) => orderedBy(walk, columns, boundsOf(walk, input, after), order))
  const found = await firstOf<Row>(db, ordered, limit + 1, (a, b) => compare(a, b) * turned)
  const rows = pageOf(found, limit, ({ bytes = 0 }) => bytes, pageBytes)
  return { rows, meta: moreAfter(rows, found, (last) => encodeCursor(order, positionOf(last))) }
}

/** A condition for the first so many rows of a walk from the beginning of a page; undefined if it has no more than these. */
export async function boundAfter(
  db: Tx,
  walk: IndexWalk,
  input: PageInput & TimeSpan,
  count: number,
): Promise<Sql | undefined> {
  const position = sql`${raw(walk.createdAt)} as created_at, ${raw(walk.id)} as id`
  const page = orderedBy(walk, position, boundsOf(walk, input, positionIn(input)), input.order)
  const [last] = await db.query<Positioned>(page.rows(raw(`1 offset ${count}`)))
  return (
    last &&
    sql`(${raw(walk.createdAt)}, ${raw(walk.id)})
    ${raw(input.order === 'desc' ? '>' : '<')} (${last.created_at}, ${last.id})`
  )
}

const positionIn = ({ order, cursor }: PageInput) => (cursor === undefined ? undefined : decodeCursor(order, cursor))

/** How many rows one statement of `readNewest` reads. */
const newestAtOnce = 2_000

/**
 * The newest `limit` rows of many walks together. Reads some rows of each walk, then more of those whose next rows can be
 * among the newest, with turns of the event loop between the statements.
 */
export async function readNewest<Row extends Positioned>(
  db: Tx,
  columns: Sql,
  walks: IndexWalk[],
  span: TimeSpan,
  limit: number,
): Promise<Row[]> {
  const each = Math.min(newestAtOnce, Math.max(20, Math.ceil(limit / (walks.length || 1))))
  const found: Row[] = []
  let open = walks.map((walk): { walk: IndexWalk; last?: Row } => ({ walk }))
  while (open.length > 0) {
    const next: typeof open = []
    for (let at = 0; at < open.length; at += newestAtOnce / each) {
      const some = open.slice(at, at + newestAtOnce / each)
      const terms = some.map(({ walk, last }, index) => {
        const bounds = boundsOf(walk, { ...span, order: 'desc' }, last && positionOf(last))
        return orderedBy(walk, sql`${raw(String(index))} as walk, ${columns}`, bounds, 'desc').rows(raw(String(each)))
      })
      const rows = await unionOf<Row & { walk: number }>(db, terms)
      for (const [index, own] of Map.groupBy(rows, ({ walk }) => walk)) {
        const last = own.sort((a, b) => compare(b, a)).at(-1)
        if (own.length === each && last) next.push({ walk: (some[index] as { walk: IndexWalk }).walk, last })
      }
      found.push(...rows)
      await turn()
    }
    found.sort((a, b) => compare(b, a))
    found.splice(limit)
    const oldest = found[limit - 1]
    open = next.filter(({ last }) => !oldest || (last && compare(last, oldest) > 0))
  }
  return found
}

function orderedBy({ from, where, createdAt, id }: IndexWalk, columns: Sql, bounds: Sql[], order: Order): Ordered {
  const rest = sql`from ${from} where ${join([...where, ...bounds], ' and ')}
    order by ${raw(createdAt)} ${raw(order)}, ${raw(id)} ${raw(order)} limit`
  return {
    rows: (limit) => sql`select ${columns} ${rest} ${limit}`,
    head: sql`select ${raw(createdAt)} as created_at, ${raw(id)} as id ${rest} 1`,
  }
}

/**
 * Where a walk starts and ends. At each end we give only the tighter one of cursor and span: with both, an engine may
 * start at the looser one and walk all the way to the other.
 */
function boundsOf(
  { createdAt, id }: IndexWalk,
  { order, createdAfter, createdBefore }: Pick<PageInput, 'order'> & TimeSpan,
  after?: Position,
): Sql[] {
  if (createdAfter !== undefined && createdBefore !== undefined && createdAfter >= createdBefore) {
    throw invalid('createdAfter', `must be before createdBefore, which is ${createdBefore}, not ${createdAfter}`)
  }
  const [near, far] = order === 'desc' ? [createdBefore, createdAfter] : [createdAfter, createdBefore]
  const [onwards, backwards] = order === 'desc' ? [raw('<'), raw('>')] : [raw('>'), raw('<')]
  const isPast = after && (near === undefined || (order === 'desc' ? after.createdAt < near : after.createdAt > near))
  return [
    ...(isPast ? [sql`(${raw(createdAt)}, ${raw(id)}) ${onwards} (${after.createdAt}, ${after.id})`] : []),
    ...(!isPast && near !== undefined ? [sql`${raw(createdAt)} ${onwards} ${near}`] : []),
    ...(far === undefined ? [] : [sql`${raw(createdAt)} ${backwards} ${far}`]),
  ]
}

const compare = (a: Positioned, b: Positioned) =>
  a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.id - b.id

/** Where a page ended: the position of the last row in the order (createdAt, id). */
interface Position {
  createdAt: string
  id: number
}

/** Earlier versions also stored years of six digits with a sign. */
const position = /^(asc|desc) ((?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([1-9]\d{0,15})$/

export const encodeCursor = (order: Order, { createdAt, id }: Position) => cursorOf(order, createdAt, id)

export const positionOf = ({ created_at: createdAt, id }: Positioned): Position => ({ createdAt, id })

/** Decodes a cursor of that order. Throws BAD_REQUEST for any text that `encodeCursor` did not return for it. */
export function decodeCursor(order: Order, cursor: string): Position {
  const [itsOrder, createdAt = '', id] = placeOf(cursor, position)
  if (itsOrder !== order) {
    throw new ConductError(
      'BAD_REQUEST',
      `The cursor belongs to a list with order=${itsOrder}, and this list has order=${order}: start again without the cursor.`,
    )
  }
  return { createdAt, id: Number(id) }
}

/**
 * Where a page of search results ended. Matches in id and title come first, then matches in content, each newest first.
 */
export interface SearchHit {
  place: 'head' | 'body'
  entry: number
}

export const encodeHit = ({ place, entry }: SearchHit) => cursorOf(place, entry)

/** Throws BAD_REQUEST for any text that `encodeHit` did not return. */
export function decodeHit(cursor: string): SearchHit {
  const [place, entry] = placeOf(cursor, /^(head|body) ([1-9]\d{0,15})$/)
  return { place: place as SearchHit['place'], entry: Number(entry) }
}
