import { join, type Sql } from 'sql-template-tag'

/**
 * Splits a list into pieces of a few fixed lengths, `most` at most, so that statements about them have few different
 * texts, which stay prepared.
 */
export function piecesOf<T>(all: readonly T[], most = 50): T[][] {
  const found: T[][] = []
  for (let at = 0; at < all.length; ) {
    const length = [50, 10, 1].find((length) => length <= Math.min(most, all.length - at)) as number
    found.push(all.slice(at, at + length))
    at += length
  }
  return found
}

/**
 * The values of an `in (…)`, which must not be empty. The last one is repeated up to a power of two, so that statements
 * with them have few different texts.
 */
export const listOf = (values: readonly (number | string)[]): Sql => join(padded(values))

/** The same for rows of which it makes no difference that one is repeated. */
export function padded<T>(values: readonly T[]): T[] {
  const length = 2 ** Math.ceil(Math.log2(values.length))
  return Array.from({ length }, (_, at) => values[Math.min(at, values.length - 1)] as T)
}

/** The values that are not null, each once. */
export const present = (ids: readonly (number | null)[]): number[] => [...new Set(ids.filter((id) => id !== null))]

export const idsOf = (rows: readonly { id: number }[]): number[] => rows.map(({ id }) => id)
