import { z } from 'zod'
import { actor, rowId, time } from './field.ts'

/**
 * How a column holds a field. An erasure looks into `text` and `json`, which may contain what people or agents wrote. A
 * `word` is an id, a hash or one of a fixed list, `figures` are JSON without texts, a `flag` is 0 or 1, an `actor` is its
 * number, and a `derived` field has no column of its own.
 */
export type Kind = 'text' | 'json' | 'word' | 'figures' | 'time' | 'integer' | 'real' | 'flag' | 'actor' | 'derived'

interface Options {
  /** Its column, if that is not its name in snake case. */
  column?: string
  /** The field as callers give it. It is then part of the state, whose changes the log records. */
  given?: z.ZodType
  /** The value of a new row in which callers gave none; null without it. */
  empty?: unknown
  /** Whether the column of an empty value is null. */
  isNullIfEmpty?: true
  /** Whether the log records it besides the state, because operations or Conduct itself set it. */
  isFact?: true
  /** The value that goes without saying in the log of a new row. */
  usual?: unknown
  /** Whether rows are read without it: only statements look at it. */
  isUnread?: true
  /** Whether a search looks into it, besides the title and the content. */
  isSearched?: true
}

/** A stored field of a noun. Everything that is true of each field of a noun follows from a list of these. */
export interface StoredField extends Options {
  kind: Kind
  /** The field as responses show it; for a column that no response shows, the type of its values. */
  shown: z.ZodType
  /** What it means, in the reference, unless its schema says more. */
  means: string
}

export const stored = <const OfKind extends Kind, Shown extends z.ZodType, const More extends Options = object>(
  kind: OfKind,
  shown: Shown,
  means: string,
  more?: More,
) => ({ kind, shown, means, ...more }) as { kind: OfKind; shown: Shown; means: string } & More

export type StoredFields = Readonly<Record<string, StoredField>>

/** When and by whom a row was made and changed, which the ledger itself sets. */
export const historyFields = {
  createdAt: stored('time', time, 'When the ledger received it'),
  updatedAt: stored('time', time, 'When it last changed'),
  createdBy: stored('actor', actor, 'Who created it'),
  updatedBy: stored('actor', actor, 'Who changed it last'),
  version: stored('integer', z.int(), 'The version, one higher with each change'),
}

export const numberField = stored('integer', rowId, 'The number of the row, never reused')

export const erasedField = stored('time', time.optional(), 'When texts of it were erased; missing if none were')

/** `exitCode` as `exit_code`. */
type Snake<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Uppercase<First> ? (First extends Lowercase<First> ? First : `_${Lowercase<First>}`) : First}${Snake<Rest>}`
  : Name

type Column<Name extends string, Field extends StoredField> = Field extends { column: infer Own extends string }
  ? Own
  : Snake<Name>

type Cell<Field extends StoredField, Value = z.output<Field['shown']>> = Field['kind'] extends 'json' | 'figures'
  ? string | Extract<Value, null>
  : Field['kind'] extends 'actor' | 'flag'
    ? number | Extract<Value, null>
    :
        | Exclude<Value, undefined>
        | (undefined extends Value ? null : never)
        | (Field extends { isNullIfEmpty: true } ? null : never)

/** A row as the database returns it. */
export type RowOf<List extends StoredFields> = {
  [Name in keyof List & string as List[Name] extends { kind: 'derived' } | { isUnread: true }
    ? never
    : Column<Name, List[Name]>]: Cell<List[Name]>
}

type Given<List extends StoredFields> = {
  [Name in keyof List & string as List[Name] extends { given: z.ZodType } ? Name : never]: List[Name]
}

/** The fields that callers can set, each with its value. */
export type StateOf<List extends StoredFields> = {
  -readonly [Name in keyof Given<List>]: z.output<Given<List>[Name]['shown']>
}

type InputShape<List extends StoredFields> = {
  [Name in keyof Given<List>]: Given<List>[Name] extends { given: infer Schema extends z.ZodType }
    ? z.ZodOptional<Schema>
    : never
}

/** The schemas of a response, each with a description. */
export const shownOf = <List extends StoredFields>(fields: List) =>
  mapped(fields, ({ shown, means }) => described(shown, means)) as { [Name in keyof List]: List[Name]['shown'] }

/** The schemas of a request, all of them optional, each with a description. */
export const givenOf = <List extends StoredFields>(fields: List) =>
  mapped(stateFields(fields), ({ given, means }) => given && described(given, means).optional()) as InputShape<List>

/** A schema with a description: its own, that of the schema in it, or `means`. */
function described(schema: z.ZodType, means: string): z.ZodType {
  const inner = schema instanceof z.ZodNullable ? (schema.unwrap() as z.ZodType) : schema
  return (schema.description ?? inner.description) === undefined ? schema.describe(means) : schema
}

/** The state of a new row in which callers gave no field. */
export const emptyOf = <List extends StoredFields>(fields: List) =>
  mapped(stateFields(fields), ({ empty = null }) => empty) as StateOf<List>

export const meaningsOf = (fields: StoredFields) => mapped(fields, ({ means }) => means) as Record<string, string>

/** The fields that callers can set. */
export const stateFields = (fields: StoredFields): StoredFields =>
  Object.fromEntries(Object.entries(fields).filter(([, { given }]) => given))

/** The column of a field. */
export const columnOf = (name: string, { column }: Pick<StoredField, 'column'>) =>
  column ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The columns of fields of these kinds. */
export const columnsOfKind = (fields: StoredFields, ...kinds: Kind[]): string[] =>
  Object.entries(fields)
    .filter(([, { kind }]) => kinds.includes(kind))
    .map(([name, field]) => columnOf(name, field))

/** The value in a column of JSON. */
export function parsed(json: string | null) {
  if (json === null) return null
  return json === '{}' ? {} : json === '[]' ? [] : JSON.parse(json)
}

const mapped = (fields: StoredFields, of: (field: StoredField) => unknown): object =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, of(field)]))
