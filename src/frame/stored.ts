import sql, { join, raw, type Sql } from 'sql-template-tag'
import { columnOf, parsed, type StoredField, type StoredFields, stateFields } from '../contract/stored.ts'

/** The columns of the rows of a table, to select. `instead` computes some of them. */
export const columnsOf = (table: string, fields: StoredFields, instead: Record<string, Sql> = {}): Sql =>
  join(
    Object.entries(fields)
      .filter(([, { kind, isUnread }]) => kind !== 'derived' && !isUnread)
      .map(([name, field]) => columnOf(name, field))
      .map((column) => (instead[column] ? sql`${instead[column]} as ${raw(column)}` : raw(`${table}.${column}`))),
  )

/** The texts of a row that a search looks into besides its title and content, in one. */
export const searchedOf = (fields: StoredFields): Sql =>
  join(
    Object.entries(fields)
      .filter(([, { isSearched }]) => isSearched)
      .map(([name, field]) => sql`coalesce(${raw(columnOf(name, field))}, '')`),
    ` || ' ' || `,
  )

type Row = Record<string, unknown>

/** The columns and values of an insert. */
export const inserted = (values: Row): Sql =>
  sql`(${raw(Object.keys(values).join(', '))}) values (${join(Object.values(values))})`

/** The assignments of an update. */
export const assigned = (values: Row): Sql =>
  join(Object.entries(values).map(([column, value]) => sql`${raw(column)} = ${value}`))

const isJson = ({ kind }: Pick<StoredField, 'kind'>) => kind === 'json' || kind === 'figures'

/** How a row has a field. */
function readerOf(name: string, field: StoredField): (row: Row) => unknown {
  const column = columnOf(name, field)
  if (isJson(field)) return (row) => parsed(row[column] as string | null)
  if (field.kind === 'flag') return (row) => (row[column] === null ? null : row[column] === 1)
  if (field.isNullIfEmpty) return (row) => row[column] ?? field.empty
  return (row) => row[column]
}

/** What the column of a field holds. */
function writerOf({ kind, isNullIfEmpty, empty }: StoredField): (value: unknown) => unknown {
  if (isJson({ kind })) return (value) => (value === null ? null : JSON.stringify(value))
  if (kind === 'flag') return (value) => (value === null ? null : Number(value))
  if (isNullIfEmpty) return (value) => (value === empty ? null : value)
  return (value) => value
}

/** Returns the state in a row. `derived` reads the fields without a column of their own. */
export function stateReader<State>(fields: StoredFields, derived: Record<string, (row: never) => unknown>) {
  const readers = Object.entries(stateFields(fields)).map(
    ([name, field]) => [name, derived[name] ?? readerOf(name, field)] as [string, (row: unknown) => unknown],
  )
  return (row: object): State => {
    const state: Row = {}
    for (const [name, read] of readers) state[name] = read(row)
    return state as State
  }
}

/** Returns the columns of a state, without those of derived fields. */
export function stateWriter(fields: StoredFields) {
  const writers = Object.entries(stateFields(fields))
    .filter(([, { kind }]) => kind !== 'derived')
    .map(([name, field]) => [name, columnOf(name, field), writerOf(field)] as const)
  return (state: object): Row => {
    const values: Row = {}
    for (const [name, column, write] of writers) values[column] = write((state as Row)[name])
    return values
  }
}

/** Returns what the log records about a new or deleted row besides its state. What goes without saying is null. */
export function factReader(fields: StoredFields) {
  const facts = Object.entries(fields).filter(([, { isFact, isNullIfEmpty }]) => isFact || isNullIfEmpty)
  const readers = facts.map(([name, field]) => [name, field, readerOf(name, field)] as const)
  return (row: object): Row => {
    const given: Row = {}
    for (const [name, { usual, empty, isNullIfEmpty }, read] of readers) {
      const value = read(row as Row)
      given[name] = value === usual || (isNullIfEmpty && value === empty) ? null : value
    }
    return given
  }
}
