import type { Expr, Statement } from 'pgsql-ast-parser'
import type { V0Context } from './v0-entries.ts'

/** A row that the statements of a ledger left behind, with the file that names it last. */
export interface SqlRow {
  file: string
  values: Record<string, string>
}

/** Rows by table, in the order in which they were inserted. */
export type SqlTables = ReadonlyMap<string, SqlRow[]>

/** Where an earlier Conduct kept the statements that it had its agents run. */
const operationsFolder = '_conduct/operations'

const isId = (row: SqlRow, id: string) => row.values.id === id

/**
 * The rows that the `.sql` files of a ledger insert, with the updates that name one of them by its id. Nothing is run.
 * Whatever else the files contain is listed as left out.
 */
export async function readOperations({ documents, report }: V0Context): Promise<SqlTables> {
  const files = documents.unread(operationsFolder).filter((path) => path.endsWith('.sql'))
  if (files.length === 0) return new Map()
  const { parse } = await import('pgsql-ast-parser')
  const tables = new Map<string, SqlRow[]>()
  const statements = files.flatMap((file) => {
    try {
      return parse(documents.text(file)).map((statement) => ({ file, statement }))
    } catch (error) {
      report.pass(file, undefined, `this import cannot read its SQL: ${(error as Error).message.split('\n')[0]}`)
      return []
    }
  })
  // The names of the files are in no order of time.
  const isUpdate = (statement: Statement) => statement.type === 'update'
  for (const { file, statement } of statements.toSorted(
    (a, b) => Number(isUpdate(a.statement)) - Number(isUpdate(b.statement)),
  )) {
    if (!inserted(tables, file, statement) && !updated(tables, file, statement)) {
      report.pass(file, undefined, `this import does not read its statement '${statement.type}'`)
    }
  }
  return tables
}

/** Adds the rows of an insert. False if the statement is not an insert with literal values. */
function inserted(tables: Map<string, SqlRow[]>, file: string, statement: Statement): boolean {
  if (statement.type !== 'insert' || statement.insert.type !== 'values' || !statement.columns) return false
  const columns = statement.columns.map(({ name }) => name)
  const rows = statement.insert.values.map((row) => ({ file, values: literalsOf(columns, row) }))
  const table = statement.into.name
  tables.set(table, [...(tables.get(table) ?? []), ...rows])
  return true
}

function literalsOf(columns: string[], row: readonly (Expr | 'default')[]): Record<string, string> {
  const entries = columns.flatMap((column, at) => {
    const value = row[at]
    const text = value === undefined || value === 'default' ? undefined : literalOf(value)
    return text === undefined ? [] : [[column, text]]
  })
  return Object.fromEntries(entries)
}

/** Changes the row that an update names by its id. False if the statement is no such update. */
function updated(tables: Map<string, SqlRow[]>, file: string, statement: Statement): boolean {
  if (statement.type !== 'update') return false
  const id = keyIn(statement.where)
  const row = id === undefined ? undefined : tables.get(statement.table.name)?.find((one) => isId(one, id))
  if (!row) return false
  const columns = statement.sets.map(({ column }) => column.name)
  const values = statement.sets.map(({ value }) => value)
  Object.assign(row, { file, values: { ...row.values, ...literalsOf(columns, values) } })
  return true
}

/** The text of a value: of a literal, or the key by which a subquery finds one row. */
function literalOf(value: Expr): string | undefined {
  switch (value.type) {
    case 'string':
    case 'integer':
    case 'numeric':
    case 'boolean':
      return String(value.value)
    case 'select':
      return keyIn(value.where ?? undefined)
    default:
      return undefined
  }
}

/** The value in `where column = 'value'`. */
const keyIn = (where: Expr | null | undefined): string | undefined =>
  where?.type === 'binary' && where.op === '=' && where.left.type === 'ref' ? literalOf(where.right) : undefined
