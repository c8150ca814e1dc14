import { stride } from './multiply.ts'
import { columnsOf, countsOf, digestOf, type Sql, tablesOf } from './sql.ts'

/** What an upgrade must keep of a ledger. */
export interface Kept {
  version: number
  counts: Record<string, number>
  /** A digest of each table, without what an upgrade may change. */
  digests: Record<string, string>
  /** How many copies of each run have which verdict. */
  verdicts: Record<string, number>
}

/** The column by which a table of copied rows tells them from their originals. */
const copies: Record<string, string> = {
  ...{ runs: 'id', checks: 'id', turns: 'id', documents: 'id', document_parts: 'document_id', events: 'subject_id' },
  ...Object.fromEntries(
    ['labels', 'features', 'files', 'commits', 'links', 'authors', 'writers'].map((name) => [`run_${name}`, 'run_id']),
  ),
}

/** Whose names or values an upgrade changes, in one of the versions. */
const moving = [
  'verdict',
  'evidence',
  'actor',
  'actor_id',
  'is_append',
  'imported',
  'git_tree',
  'key_id',
  'id of events',
]
const isKept = (table: string, column: string) =>
  !column.endsWith('_by') && !moving.includes(column) && !moving.includes(`${column} of ${table}`)

/** Reads what must be kept of each table; of an upgraded ledger, in the columns that it had before. */
export async function keptOf(sql: Sql, columns: Record<string, string[]>): Promise<Kept> {
  const tables = await tablesOf(sql)
  const counts = await countsOf(sql, tables)
  const digests: Record<string, string> = {}
  for (const [table, names] of Object.entries(columns)) {
    const now = renamed(table, counts)
    const where =
      table === 'events' ? `subject_id > ${stride} and type <> 'run.rejudged'` : `${copies[table]} > ${stride}`
    digests[table] = await digestOf(sql, now, names, where)
  }
  const rows = await sql.query<{ key: string; n: number | string }>(
    `select o.project_id || ' ' || o.run_id || ' ' || c.verdict || ' ' || coalesce(c.evidence, '') as key, c.n
      from (select id % ${stride} as of, verdict, evidence, count(*) as n from runs where id > ${stride} group by 1, 2, 3) c
      join runs o on o.id = c.of`,
  )
  const [found] = await sql.query<{ version: number | string }>('select max(version) as version from schema_versions')
  return {
    version: Number(found?.version),
    counts,
    digests,
    verdicts: Object.fromEntries(rows.map(({ key, n }) => [key, Number(n)])),
  }
}

/** An upgrade of version 4 renames one table. */
export const renamed = (table: string, counts: Record<string, number>) => (table in counts ? table : 'run_writers')

/** The columns of the copied tables that every version has. */
export async function keptColumns(sql: Sql): Promise<Record<string, string[]>> {
  const tables = await tablesOf(sql)
  const found: Record<string, string[]> = {}
  for (const table of Object.keys(copies).filter((name) => tables.includes(name))) {
    found[table] = (await columnsOf(sql, table)).filter((column) => isKept(table, column))
  }
  return found
}
