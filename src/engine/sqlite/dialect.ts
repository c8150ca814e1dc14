import sql, { empty, join, raw } from 'sql-template-tag'
import { only, type SqlDialect, type Tx, type WordQuery } from '../db.ts'

/** How many pages of an index of words to merge at a time: one to two milliseconds of work. */
const mergedPages = 8
/**
 * FTS5 merges on its own only if one level has 1,000 segments, which never happens. On request it merges a level that has
 * 8, or of whose rows half are deleted. By default a tenth is enough: an index that loses as many rows as it gains, as that
 * of recent texts, would be merged again whenever a tenth of it is new.
 */
const settings = { automerge: 0, crisismerge: 1000, usermerge: 8, deletemerge: 50 }

export const dialect: SqlDialect = {
  id: 'integer primary key autoincrement',
  text: 'text',
  integer: 'integer',
  real: 'real',
  bytes: 'blob',
  tableEnd: 'strict',
  forUpdate: empty,
  indexedBy: (index) => sql`indexed by ${raw(index)}`,
  // SQLite keeps the order of the tables of a cross join.
  ledBy: (ids, table, id) => ({
    from: sql`json_each(${JSON.stringify(ids)}) as led cross join ${table}`,
    where: sql`${raw(id)} = led.value`,
  }),
  follows: (id, column) => sql`${raw(id)} = ${raw(column)}`,
  isWithin(columns, values, after, before) {
    const last = raw(columns.at(-1) ?? '')
    const equal = values.map((value, at) => sql`${raw(columns[at] ?? '')} = ${value}`)
    return join([...equal, sql`${last} > ${after}`, sql`${last} < ${before}`], ' and ')
  },
  isOneOf: (column, values) => sql`${raw(column)} in (select value from json_each(${JSON.stringify(values)}))`,
  has: (name) => sql`select 1 as one from sqlite_schema where name = ${name}`,
  // `begin immediate` has already done this.
  alone: sql`select 1`,
  shard: 0,
  lastId: (table) => sql`select coalesce(max(seq), 0) as id from sqlite_sequence where name = ${table}`,
  setLastId: (table, id) => [
    sql`delete from sqlite_sequence where name = ${table}`,
    sql`insert into sqlite_sequence (name, seq) select ${table}, ${id} where ${id} > 0`,
  ],
  ownIds: empty,
  isWritable: sql`1 = 1`,
  commitsInOrder: true,
  searchWords: (table) => [
    `create virtual table ${table} using fts5 (words, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '._/:@#-'", detail = 'none')`,
  ],
  vocabulary: (table) => [`create virtual table ${table}_vocabulary using fts5vocab (${table}, instance)`],
  // For a prefix, FTS5 lists all its rows before it returns the first one. For words it reads only what it returns.
  async firstWord(tx, table, from) {
    const [row] = await tx.query<{ term: string }>(sql`
      select term from ${raw(`${table}_vocabulary`)} where term >= ${from} limit 1`)
    return row?.term
  },
  words: (words) => sql`${words.join(' ')}`,
  // Before a statement with many rows, FTS5 writes what it has gathered so far as a separate segment.
  wordRowsAtOnce: 1,
  async tidyWords(tx, table) {
    await configure(tx, table)
    const before = await changesOf(tx)
    await tx.query(sql`insert into ${raw(table)} (${raw(table)}, rank) values ('merge', ${mergedPages})`)
    // According to its documentation, FTS5 has merged nothing if this is less than 2.
    return (await changesOf(tx)) - before >= 2
  },
  async forgetWords(tx, table) {
    const before = await changesOf(tx)
    // A negative number merges everything into one segment, and drops the words of deleted rows.
    await tx.query(sql`insert into ${raw(table)} (${raw(table)}, rank) values ('merge', ${-mergedPages})`)
    return (await changesOf(tx)) - before >= 2
  },
  matches(table, question) {
    const { without } = question
    return sql`${table} match ${without ? `(${allOf(question)}) NOT (${allOf(without)})` : allOf(question)}`
  },
  // FTS5 always finds rows by their words.
  afterwards: empty,
}

function allOf({ groups, prefix }: WordQuery): string {
  const quoted = (words: string[]) => words.map((word) => `"${word}"`).join(' OR ')
  const all = groups.map((some) => `(${quoted(some)})`)
  return [...all, ...(prefix === undefined ? [] : [`"${prefix}" *`])].join(' AND ')
}

/** Gives an index the settings, unless it has them: on its own, FTS5 merges megabytes at once. */
async function configure(tx: Pick<Tx, 'query'>, table: string) {
  const rows = await tx.query<{ k: string; v: number }>(sql`select k, v from ${raw(table)}_config`)
  const known = new Map(rows.map(({ k, v }) => [k, v]))
  for (const [name, value] of Object.entries(settings)) {
    if (known.get(name) === value) continue
    // FTS5 accepts only integers, and node:sqlite binds every number as a float.
    await tx.query(sql`insert into ${raw(table)} (${raw(table)}, rank) values (${name}, cast(${value} as integer))`)
  }
}

const changesOf = async (tx: Pick<Tx, 'query'>) =>
  only(await tx.query<{ changes: number }>(sql`select total_changes() as changes`)).changes
