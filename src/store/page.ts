import sql, { join, raw, type Sql } from 'sql-template-tag'
import { invalid } from '../api/error.ts'
import type { PageInput } from '../api/page.ts'
import { decodeCursor, encodeCursor, type Position } from '../ledger/cursor.ts'
import type { Tx } from './engine/db.ts'

/** One index-ordered walk: rows that satisfy `where`, in the order of the leading table's created_at and id. */
export interface Walk {
  /** `runs`, or the side table whose index leads, joined to it. */
  from: Sql
  where: Sql[]
  /** The columns of the order in the leading table. */
  createdAt: string
  id: string
}

interface Positioned {
  id: number
  created_at: string
}

/** SQLite takes at most 500 terms in one `union all`. */
const walksAtOnce = 200

/** The moments between which a list's rows were made, both left out. */
export interface Span {
  createdAfter?: string | undefined
  createdBefore?: string | undefined
}

/**
 * One page of the rows that any of `walks` finds; no row may be found by two. Each walk reads at most a page from its
 * own index, so the time does not depend on how many rows there are. BAD_REQUEST for a cursor that is not of this order;
 * VALIDATION_ERROR for a span that holds no moment.
 */
export async function readPage<Row extends Positioned>(db: Tx, columns: Sql, walks: Walk[], input: PageInput & Span) {
  const { limit, order } = input
  const after = input.cursor === undefined ? undefined : decodeCursor(order, input.cursor)
  // As a literal: for a parameter PostgreSQL plans as if a tenth of all rows were wanted.
  const literal = raw(String(limit + 1))
  const found: Row[] = []
  for (let first = 0; first < walks.length; first += walksAtOnce) {
    const terms = walks.slice(first, first + walksAtOnce).map((walk) => {
      const where = join([...walk.where, ...boundsOf(walk, input, after)], ' and ')
      return sql`select ${columns} from ${walk.from} where ${where}
        order by ${raw(walk.createdAt)} ${raw(order)}, ${raw(walk.id)} ${raw(order)} limit ${literal}`
    })
    found.push(...(await db.query<Row>(terms.length === 1 ? (terms[0] as Sql) : unionOf(terms))))
  }
  if (walks.length > 1) found.sort((a, b) => compare(a, b) * (order === 'desc' ? -1 : 1))
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  const meta =
    last && found.length > limit
      ? { hasMore: true, nextCursor: encodeCursor(order, { createdAt: last.created_at, id: last.id }) }
      : { hasMore: false }
  return { rows, meta }
}

/**
 * Where a walk begins and ends. At each end only the tighter of cursor and span is named: given both, an engine may start
 * at the looser one and walk all the way to the other.
 */
function boundsOf(
  { createdAt, id }: Walk,
  { order, createdAfter, createdBefore }: PageInput & Span,
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

const unionOf = (terms: Sql[]) =>
  join(
    terms.map((term) => sql`select * from (${term}) as walk`),
    ' union all ',
  )

const compare = (a: Positioned, b: Positioned) =>
  a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.id - b.id
