import sql, { join, raw, type Sql } from 'sql-template-tag'
import { decodeCursor, encodeCursor, type PageInput } from '../page.ts'
import type { Db } from './db.ts'

/** One index-ordered walk: rows that satisfy `where`, ordered by the `key` table's created_at and its row id. */
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

/**
 * One page of the rows that any of `walks` finds; no row may be found by two. Each walk reads at most a page from its
 * own index, so the time does not depend on how many rows there are.
 */
export async function readPage<Row extends Positioned>(db: Db, columns: Sql, walks: Walk[], input: PageInput) {
  const { limit, order } = input
  const after = input.cursor === undefined ? undefined : decodeCursor(order, input.cursor)
  const found: Row[] = []
  for (let first = 0; first < walks.length; first += walksAtOnce) {
    const terms = walks.slice(first, first + walksAtOnce).map(({ from, where, createdAt, id }) => {
      const past =
        after &&
        sql`(${raw(createdAt)}, ${raw(id)}) ${raw(order === 'desc' ? '<' : '>')} (${after.createdAt}, ${after.id})`
      return sql`select ${columns} from ${from} where ${join(past ? [...where, past] : where, ' and ')}
        order by ${raw(createdAt)} ${raw(order)}, ${raw(id)} ${raw(order)} limit ${limit + 1}`
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

const unionOf = (terms: Sql[]) =>
  join(
    terms.map((term) => sql`select * from (${term}) as walk`),
    ' union all ',
  )

const compare = (a: Positioned, b: Positioned) =>
  a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.id - b.id
