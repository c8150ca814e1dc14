import sql, { raw, type Sql } from 'sql-template-tag'

/** Whether a column holds `part`, as it stands. Letters A to Z match in either case; that is what both engines can promise. */
export function likeOf(column: string, part: string): Sql {
  const escaped = part.replace(/[\\%_]/g, '\\$&').replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return sql`lower(${raw(column)}) like ${`%${escaped}%`} escape '\\'`
}
