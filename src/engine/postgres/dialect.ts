import { randomInt } from 'node:crypto'
import sql, { empty, join, raw } from 'sql-template-tag'
import type { SqlDialect, WordQuery } from '../db.ts'

/** The key of the lock under which a schema changes. */
export const lockKey = 7239450182

export const dialect: SqlDialect = {
  id: 'bigint generated always as identity primary key',
  text: 'text collate "C"',
  integer: 'bigint',
  real: 'double precision',
  bytes: 'bytea',
  tableEnd: '',
  forUpdate: sql`for update`,
  indexedBy: () => empty,
  // PostgreSQL expects about ten values in the array of a subquery, so it begins with them.
  ledBy: (ids, table, id) => ({
    from: table,
    where: sql`${raw(id)} = any (array(select unnest(cast(${ids} as bigint[]))))`,
  }),
  // An equality can also be a hash join, which reads the whole of a table that is not very large.
  follows: (id, column) => sql`${raw(id)} = any (array[${raw(column)}])`,
  // The last column alone may have an index of its own. Without the values, PostgreSQL expects a range of it to be small,
  // and would walk through that index, which can be the whole table.
  isWithin(columns, values, after, before) {
    const row = sql`(${raw(columns.join(', '))})`
    return sql`${row} > (${join([...values, after])}) and ${row} < (${join([...values, before])})`
  },
  isOneOf: (column, values) => sql`${raw(column)} = any (cast(${values} as ${typeOf(values[0])}[]))`,
  // The search path may name further schemas, with other ledgers.
  has: (name) => sql`
    select 1 as one from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relname = ${name} and n.nspname = current_schema()`,
  alone: sql`select pg_advisory_xact_lock(${raw(String(lockKey))})`,
  aloneFor: (name) => sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`,
  shard: randomInt(16),
  lastId: (table) => sql`
    select coalesce(pg_sequence_last_value(pg_get_serial_sequence(${table}, 'id')::regclass), 0) as id`,
  setLastId: (table, id) => [
    sql`select setval(pg_get_serial_sequence(${table}, 'id'), greatest(cast(${id} as bigint), 1), cast(${id} as bigint) > 0)`,
  ],
  ownIds: sql`overriding system value`,
  isWritable: sql`current_setting('transaction_read_only') = 'off'`,
  commitsInOrder: false,
  searchWords: (table) => [
    `create table ${table} (rowid bigint primary key, words tsvector not null)`,
    `create index ${table}_inverted on ${table} using gin (words)`,
  ],
  vocabulary: () => [],
  words: (words) => sql`array_to_tsvector(cast(${words} as text[]))`,
  wordRowsAtOnce: 50,
  tidyWords: async () => false,
  forgetWords: async () => false,
  matches(_table, question) {
    const { without } = question
    const all = without ? `${allOf(question)} & !(${allOf(without)})` : allOf(question)
    return sql`words @@ cast(${all} as tsquery)`
  },
  afterwards: sql`+ 0`,
}

const typeOf = (value: unknown) => raw(typeof value === 'number' ? 'bigint' : 'text')

function allOf({ groups, prefix }: WordQuery): string {
  const all = groups.map((some) => `(${some.map((word) => `'${word}'`).join(' | ')})`)
  return [...all, ...(prefix === undefined ? [] : [`'${prefix}':*`])].join(' & ')
}
