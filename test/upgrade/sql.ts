import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import pg from 'pg'

/** A connection to a ledger of any version, without Conduct. */
export interface Sql {
  isSqlite: boolean
  query<Row extends object>(text: string): Promise<Row[]>
  /** Statements without rows. */
  run(text: string): Promise<void>
  close(): Promise<void>
}

const pathOf = (url: string) => /^sqlite:(.*)/.exec(url)?.[1]

/** Runs `body` with a connection to the database at `url`. */
export async function withSql<T>(url: string, body: (sql: Sql) => Promise<T>): Promise<T> {
  const path = pathOf(url)
  const sql = path === undefined ? await openPostgres(url) : openSqlite(path)
  try {
    return await body(sql)
  } finally {
    await sql.close()
  }
}

function openSqlite(path: string): Sql {
  const db = new DatabaseSync(path, { timeout: 60_000 })
  db.exec('pragma synchronous = off; pragma cache_size = -500000')
  db.function('digest', (text) => crc32(String(text)))
  return {
    isSqlite: true,
    query: async <Row extends object>(text: string) =>
      db
        .prepare(text)
        .all()
        .map((row) => ({ ...row })) as Row[],
    run: async (text) => db.exec(text),
    close: async () => db.close(),
  }
}

async function openPostgres(url: string): Promise<Sql> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return {
    isSqlite: false,
    query: async <Row extends object>(text: string) => (await client.query(text)).rows as Row[],
    run: async (text) => void (await client.query(text)),
    close: () => client.end(),
  }
}

/** The tables of the ledger. */
export async function tablesOf(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ name: string }>(
    sql.isSqlite
      ? `select name from pragma_table_list where type = 'table' and schema = 'main' and name not like 'sqlite_%' order by name`
      : `select tablename as name from pg_tables where schemaname = current_schema() order by tablename`,
  )
  return rows.map(({ name }) => name)
}

/** The columns of a table. */
export async function columnsOf(sql: Sql, table: string): Promise<string[]> {
  const rows = await sql.query<{ name: string }>(
    sql.isSqlite
      ? `select name from pragma_table_info('${table}')`
      : `select attname as name from pg_attribute where attrelid = '${table}'::regclass and attnum > 0
          and not attisdropped order by attnum`,
  )
  return rows.map(({ name }) => name)
}

/** A number that tells what the rows of a table contain in these columns. It does not depend on their order. */
export async function digestOf(sql: Sql, table: string, columns: string[], where: string): Promise<string> {
  const digest = sql.isSqlite ? 'digest' : 'hashtext'
  const values = columns.map((name) => `coalesce(cast(${name} as text), '-')`).join(", '|', ")
  const [row] = await sql.query<{ digest: unknown }>(
    `select cast(sum(cast(${digest}(concat(${values})) as bigint)) as text) as digest from ${table} where ${where}`,
  )
  return String(row?.digest)
}

/** How many rows each of these tables has. */
export async function countsOf(sql: Sql, tables: string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of tables) {
    const [row] = await sql.query<{ n: number | string }>(`select count(*) as n from ${table}`)
    counts[table] = Number(row?.n)
  }
  return counts
}
