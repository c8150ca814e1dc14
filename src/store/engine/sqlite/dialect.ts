import sql, { empty } from 'sql-template-tag'
import type { Dialect } from '../db.ts'

export const dialect: Dialect = {
  id: 'integer primary key autoincrement',
  text: 'text',
  integer: 'integer',
  real: 'real',
  tableEnd: 'strict',
  forUpdate: empty,
  // `begin immediate` has done it.
  alone: sql`select 1`,
  concurrently: '',
  shard: 0,
  commitsInOrder: true,
  searchWords: (table) => [
    `create virtual table ${table} using fts5 (words, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '._/:@#-'", detail = 'none')`,
  ],
  words: (words) => sql`${words.join(' ')}`,
  matches(table, { wanted, terms, without }) {
    const quoted = (words: string[]) => words.map((word) => `"${word}"`)
    const all = (words: string[]) => `${quoted(words).join(' AND ')} *`
    const must = [...wanted.map((some) => `(${quoted(some).join(' OR ')})`), all(terms)].join(' AND ')
    return sql`${table} match ${without ? `(${must}) NOT (${all(without)})` : must}`
  },
  // FTS5 finds nothing in any other way.
  afterwards: empty,
}
