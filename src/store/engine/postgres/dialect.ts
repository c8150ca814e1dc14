import { randomInt } from 'node:crypto'
import sql, { empty } from 'sql-template-tag'
import type { Dialect } from '../db.ts'

export const dialect: Dialect = {
  id: 'bigint generated always as identity primary key',
  text: 'text collate "C"',
  integer: 'bigint',
  real: 'double precision',
  bytes: 'bytea',
  tableEnd: '',
  forUpdate: sql`for update`,
  indexedBy: () => empty,
  concurrently: 'concurrently',
  alone: sql`select pg_advisory_xact_lock(7239450182)`,
  shard: randomInt(16),
  lastId: (table) => sql`
    select coalesce(pg_sequence_last_value(pg_get_serial_sequence(${table}, 'id')::regclass), 0) as id`,
  setLastId: (table, id) => [
    sql`select setval(pg_get_serial_sequence(${table}, 'id'), greatest(cast(${id} as bigint), 1), cast(${id} as bigint) > 0)`,
  ],
  ownIds: sql`overriding system value`,
  commitsInOrder: false,
  searchWords: (table) => [
    `create table ${table} (rowid bigint primary key, words tsvector not null)`,
    `create index ${table}_inverted on ${table} using gin (words)`,
  ],
  words: (words) => sql`array_to_tsvector(cast(${words} as text[]))`,
  wordRowsAtOnce: 50,
  tidyWords: async () => false,
  forgetWords: async () => false,
  matches(_table, { wanted, terms, without }) {
    const quoted = (words: string[]) => words.map((word) => `'${word}'`)
    const all = (words: string[]) => `${quoted(words).join(' & ')}:*`
    const must = [...wanted.map((some) => `(${quoted(some).join(' | ')})`), all(terms)].join(' & ')
    return sql`words @@ cast(${without ? `${must} & !(${all(without)})` : must} as tsquery)`
  },
  afterwards: sql`+ 0`,
}
