import { DatabaseSync } from 'node:sqlite'

interface Part {
  type: string
  name: string
  sql: string
}

/** Returns the statements that recreate the SQLite database in that file: tables, rows by their ids, then indexes. */
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
    // A virtual table creates its shadow tables, with rows of their own.
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
  // Without `order by`, SQLite returns the rows in the order of the primary key.
  const rows = db.prepare(`select ${values} as row from ${table}`).all()
  return rows.map(({ row }) => `insert into ${table} (${columns.join(', ')}) values (${row});`)
}

/** Runs a dump on an empty database file. */
export function loadSqlite(path: string, dump: string): void {
  // Only this mode can write the shadow tables of a virtual table.
  const db = new DatabaseSync(path, { defensive: false })
  db.exec('pragma journal_mode = wal; pragma synchronous = off')
  db.exec(dump)
  db.close()
}
