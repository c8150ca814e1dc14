import { DatabaseSync } from 'node:sqlite'

interface Part {
  type: string
  name: string
  sql: string
}

/** The statements that make the SQLite database in that file again: tables, rows by their ids, then indexes. */
export function dumpSqlite(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true })
  const parts = db
    .prepare(
      `select type, name, sql from sqlite_schema where sql is not null and name not like 'sqlite_%' order by rowid`,
    )
    .all() as unknown as Part[]
  const shadows = new Set(
    db
      .prepare(`select name from pragma_table_list where type = 'shadow'`)
      .all()
      .map(({ name }) => name as string),
  )
  const virtual = parts.filter(({ sql }) => sql.startsWith('CREATE VIRTUAL') || sql.startsWith('create virtual'))
  const tables = parts.filter((part) => part.type === 'table' && !virtual.includes(part) && !shadows.has(part.name))
  const rest = parts.filter(({ type }) => type !== 'table')
  const lines = [
    'pragma foreign_keys = off;',
    'begin;',
    ...tables.map(({ sql }) => `${sql};`),
    ...tables.flatMap(({ name }) => rowsOf(db, name)),
    // A virtual table makes its shadows, with rows of its own in them.
    ...virtual.map(({ sql }) => `${sql};`),
    ...[...shadows].sort().flatMap((name) => [`delete from ${name};`, ...rowsOf(db, name)]),
    'delete from sqlite_sequence;',
    ...rowsOf(db, 'sqlite_sequence'),
    ...rest.map(({ sql }) => `${sql};`),
    'commit;',
  ]
  db.close()
  return `${lines.join('\n')}\n`
}

function rowsOf(db: DatabaseSync, table: string): string[] {
  const columns = db
    .prepare(`select name from pragma_table_info('${table}')`)
    .all()
    .map(({ name }) => name as string)
  const values = columns.map((name) => `quote("${name}")`).join(` || ', ' || `)
  // Without a stated order SQLite returns the rows in that of the primary key.
  const rows = db.prepare(`select ${values} as row from ${table}`).all()
  return rows.map(({ row }) => `insert into ${table} (${columns.join(', ')}) values (${row});`)
}

/** Runs a dump on an empty database file. */
export function loadSqlite(path: string, dump: string): void {
  // The shadows of a virtual table can be written in this mode alone.
  const db = new DatabaseSync(path, { defensive: false })
  db.exec('pragma journal_mode = wal; pragma synchronous = off')
  db.exec(dump)
  db.close()
}
