import sql, { empty, raw } from 'sql-template-tag'
import type { Dialect } from '../db.ts'

/** Pages of an index of words that are merged after each write. Fewer fall behind what a step of the index writes. */
const mergedPages = 16

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
  // FTS5 would merge by itself, hundreds of pages at a time. An index that does not know yet is told to leave it.
  tidyWords: (table) => [
    sql`insert into ${raw(table)} (${raw(table)}, rank) select 'automerge', 0
      where not exists (select 1 from ${raw(table)}_config where k = 'automerge' and v = 0)`,
    sql`insert into ${raw(table)} (${raw(table)}, rank) values ('merge', ${mergedPages})`,
  ],
  matches(table, { wanted, terms, without }) {
    const quoted = (words: string[]) => words.map((word) => `"${word}"`)
    const all = (words: string[]) => `${quoted(words).join(' AND ')} *`
    const must = [...wanted.map((some) => `(${quoted(some).join(' OR ')})`), all(terms)].join(' AND ')
    return sql`${table} match ${without ? `(${must}) NOT (${all(without)})` : must}`
  },
  // FTS5 finds nothing in any other way.
  afterwards: empty,
}
