import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { ReadOnly, Tx } from '../engine/db.ts'

/** Rows along one index, in its order. Each walk costs only what it returns. */
export interface Walk {
  /** Selects the first rows of the walk in order, at most `limit`. */
  rows(limit: Sql): Sql
  /** Selects the position of its first row: `created_at` and `id`, or `seq`. */
  head: Sql
}

/** SQLite allows at most 500 terms in a `union all`. */
const walksAtOnce = 200

/** Statements are prepared by their text, so limits come in a few sizes. */
const sizes = [2, 11, 21, 51, 101]

/**
 * The first `limit` rows of all walks together, in the order of `compare`. If there are more walks than rows wanted,
 * only those whose first rows can be among them are read, so the cost does not grow with the others.
 */
export async function firstOf<Row extends object>(
  db: Pick<Tx, 'query' | 'moment'>,
  walks: Walk[],
  limit: number,
  compare: (a: Row, b: Row) => number,
): Promise<Row[]> {
  if (walks.length <= limit) return firstOfAll(db, walks, limit, compare)
  // A row that moved between the two statements from a chosen walk to another one would be in neither.
  return db.moment(async (db) => firstOfAll(db, await foremost(db, walks, limit, compare), limit, compare))
}

async function firstOfAll<Row extends object>(
  db: ReadOnly,
  walks: Walk[],
  limit: number,
  compare: (a: Row, b: Row) => number,
): Promise<Row[]> {
  // As a literal: for a parameter, PostgreSQL plans as if a tenth of all rows were wanted.
  const literal = raw(String(sizes.find((size) => size >= limit) ?? limit))
  const found = await unionOf<Row>(
    db,
    walks.map((walk) => walk.rows(literal)),
  )
  if (walks.length > 1) found.sort(compare)
  return found.slice(0, limit)
}

async function foremost<Row extends object>(
  db: ReadOnly,
  walks: Walk[],
  limit: number,
  compare: (a: Row, b: Row) => number,
): Promise<Walk[]> {
  const heads = await unionOf<Row & { walk: number }>(
    db,
    walks.map(({ head }, index) => sql`select ${raw(String(index))} as walk, head.* from (${head}) as head`),
  )
  return heads
    .sort(compare)
    .slice(0, limit)
    .flatMap(({ walk }) => walks[walk] ?? [])
}

/** The rows of all terms, which are selects. Those of each term keep their order. */
export async function unionOf<Row extends object>(db: ReadOnly, terms: Sql[]): Promise<Row[]> {
  const [only] = terms
  if (only && terms.length === 1) return db.query<Row>(only)
  const found: Row[] = []
  for (let first = 0; first < terms.length; first += walksAtOnce) {
    const some = terms.slice(first, first + walksAtOnce).map((term) => sql`select * from (${term}) as walk`)
    found.push(...(await db.query<Row>(join(some, ' union all '))))
  }
  return found
}
