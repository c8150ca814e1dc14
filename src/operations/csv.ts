import { z } from 'zod'
import { csvLine } from '../contract/csv-line.ts'
import { addressOf, type Name } from '../contract/paths.ts'
import { type Route, routes } from './routes.ts'

/** A column: its name, and the fields that lead to its value. */
interface Column {
  name: string
  path: readonly string[]
}

interface List {
  /** The field of the answer that holds the list. */
  field: string
  columns: readonly Column[]
}

/** The lists that the answer of an operation may have, of which each answer has one at most as CSV: the first that is there. */
export type CsvPlan = readonly List[]

/** How the list of an operation becomes CSV; undefined for an operation that returns none. */
export function csvPlanOf(name: Name): CsvPlan | undefined {
  if (addressOf(name).method !== 'GET') return undefined
  const { output, csv }: Route = routes[name]
  if (csv === false) return undefined
  const { shape } = output
  const lists = Object.entries(shape).flatMap(([field, schema]): List[] => {
    const list = bare(schema)
    if (!(list instanceof z.ZodArray)) return []
    const columns = columnsOf(list.element as z.ZodType)
    const [first] = columns
    // A list of plain values is a list only where it comes in pages.
    if (first?.path.length === 0) return 'meta' in shape ? [{ field, columns: [{ ...first, name: 'value' }] }] : []
    return [{ field, columns }]
  })
  return lists.length > 0 ? lists : undefined
}

/** The schema without what makes it optional or nullable. */
function bare(schema: z.ZodType): z.ZodType {
  const isWrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault
  return isWrapped ? bare(schema.unwrap() as z.ZodType) : schema
}

/** One column for each value: an object has those of its fields, a union those of all of its forms. */
function columnsOf(schema: z.ZodType, path: readonly string[] = []): Column[] {
  const inner = bare(schema)
  if (inner instanceof z.ZodObject) {
    return Object.entries(inner.shape).flatMap(([field, one]) => columnsOf(one as z.ZodType, [...path, field]))
  }
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const all = inner.options.flatMap((option) => columnsOf(option as z.ZodType, path))
    return [...new Map(all.map((column) => [column.name, column])).values()]
  }
  return [{ name: path.join('.'), path }]
}

/** The list in an answer as CSV, with a header of names or, for the pages after the first, without one. */
export function csvOf(plan: CsvPlan, answer: Record<string, unknown>, withHeader = true): string {
  const list = plan.find(({ field }) => Array.isArray(answer[field]))
  if (!list) return ''
  const header = withHeader ? [csvLine(list.columns.map(({ name }) => name))] : []
  const rows = (answer[list.field] as unknown[]).map((item) =>
    csvLine(list.columns.map(({ path }) => valueAt(item, path))),
  )
  return [...header, ...rows].join('')
}

const valueAt = (item: unknown, path: readonly string[]) =>
  path.reduce<unknown>((value, field) => (value as Record<string, unknown> | null | undefined)?.[field], item)
