import { z } from 'zod'
import { ConductError, type Issue } from '../contract/error.ts'
import { cut, explain, explained, invalidInput, unknown } from '../contract/explain.ts'
import { addressOf, headerFields, type Name, type OperationPath } from '../contract/paths.ts'
import { type Route, routes } from '../operations/routes.ts'

type Kind = 'string' | 'number' | 'boolean' | 'strings' | 'numbers'

/** How to merge the parts of a request into the flat input of one operation. */
interface InputPlan {
  address: OperationPath
  schema: z.ZodObject
  kinds: Record<string, Kind>
  /** The most items that each array field may have. */
  most: Record<string, number>
  /** The highest value of each number field. */
  highest: Record<string, number>
  /** The fields that travel in the query or body, rather than in the path or a header. */
  fields: Set<string>
  headers: [field: string, header: string][]
}

const plans = new Map<Name, InputPlan>()

/** The plan of an operation, made when it is first asked for: a command of one operation does not wait for those of all. */
export function planOf(name: Name): InputPlan {
  const plan = plans.get(name) ?? makePlan(name)
  plans.set(name, plan)
  return plan
}

function makePlan(name: Name): InputPlan {
  const route: Route = routes[name]
  const address = addressOf(name)
  const properties = z.toJSONSchema(route.input, { io: 'input', unrepresentable: 'any' }).properties ?? {}
  const kinds = Object.fromEntries(Object.entries(properties).map(([field, schema]) => [field, kindOf(schema)]))
  const limits = Object.entries(properties).map(([field, schema]) => [
    field,
    typeof schema === 'object' ? schema.maxItems : undefined,
  ])
  const most = Object.fromEntries(limits.filter(([, limit]) => limit !== undefined))
  const highest = Object.fromEntries(
    Object.entries(properties).map(([field, schema]) => [field, Number(partOf(schema).maximum)]),
  )
  const headers = Object.entries(headerFields).filter(([field]) => field in properties)
  const elsewhere = [...address.params, ...headers.map(([field]) => field)]
  const fields = new Set(Object.keys(properties).filter((field) => !elsewhere.includes(field)))
  return { address, schema: route.input, kinds, most, highest, fields, headers }
}

function kindOf(schema: z.core.JSONSchema._JSONSchema): Kind {
  if (typeof schema === 'boolean') return 'string'
  if (schema.type === 'boolean') return 'boolean'
  if (schema.type !== 'array') return isNumber(schema) ? 'number' : 'string'
  return schema.items && !Array.isArray(schema.items) && isNumber(schema.items) ? 'numbers' : 'strings'
}

const isNumber = (schema: z.core.JSONSchema._JSONSchema) =>
  typeof schema === 'object' && (schema.type === 'integer' || schema.type === 'number')

/** The schema of a field, or that of its items. */
function partOf(schema: z.core.JSONSchema._JSONSchema): z.core.JSONSchema.JSONSchema {
  if (typeof schema === 'boolean') return {}
  return schema.items && !Array.isArray(schema.items) ? partOf(schema.items) : schema
}

export interface RawInput {
  params: Record<string, string>
  query: string
  header(name: string): string | undefined
  /** The parsed JSON body. */
  body: unknown
}

/**
 * Parses the input of an operation. Throws a VALIDATION_ERROR that names unknown, repeated, contradicting and wrong fields;
 * BAD_REQUEST for a write with a condition that it does not check.
 */
export function readInput(plan: InputPlan, raw: RawInput): Record<string, unknown> {
  const issues: Issue[] = []
  const input: Record<string, unknown> = {}
  if (plan.address.method === 'GET') readQuery(plan, raw.query, input, issues)
  else {
    requireNoOtherCondition(plan, raw)
    readBody(plan, raw, input, issues)
  }
  for (const param of plan.address.params) {
    input[param] = fromText(plan, param, raw.params[param] ?? '', issues)
  }
  for (const [field, header] of plan.headers) {
    const value = raw.header(header)
    if (value !== undefined) input[field] = value
  }
  const parsed = plan.schema.safeParse(input, explained)
  if (parsed.success && issues.length === 0) return parsed.data
  const fieldOf = ({ path }: Issue) => path.split('.', 1)[0]
  const named = new Set(issues.map(fieldOf))
  const found = parsed.error?.issues.flatMap((issue) => explain(issue, plan.fields)) ?? []
  throw invalidInput([...issues, ...found.filter((issue) => !named.has(fieldOf(issue)))])
}

/** Throws BAD_REQUEST for an If-Match that the operation would ignore (RFC 9110 §13.1.1). */
function requireNoOtherCondition({ address, headers }: InputPlan, raw: RawInput) {
  if (raw.header('if-match') === undefined || headers.some(([field]) => field === 'ifVersion')) return
  throw new ConductError('BAD_REQUEST', `${address.method} ${address.path} takes no If-Match: leave it out.`)
}

/** The query of a request, without the question mark. */
export function queryOf(url: string): string {
  const mark = url.indexOf('?')
  return mark < 0 ? '' : url.slice(mark + 1)
}

/** The query parameters of an address with these. Throws VALIDATION_ERROR for others, and for repeated ones. */
export function parametersOf<Field extends string>(url: string, fields: Field[]): Partial<Record<Field, string>> {
  const input: Partial<Record<Field, string>> = {}
  const issues: Issue[] = []
  const kinds = Object.fromEntries(fields.map((field) => [field, 'string' as const]))
  readQuery({ fields: new Set(fields), kinds, highest: {} }, queryOf(url), input, issues)
  if (issues.length > 0) throw invalidInput(issues)
  return input
}

/** Adds the fields of a query to the input, and what is wrong with it to the issues. */
function readQuery(
  plan: Pick<InputPlan, 'fields' | 'kinds' | 'highest'>,
  query: string,
  input: Record<string, unknown>,
  issues: Issue[],
) {
  if (query === '') return
  const { fields, kinds } = plan
  const given = valuesOf(query)
  const strangers = [...given.keys()].filter((name) => !fields.has(name))
  for (const issue of unknown('query parameter', strangers, fields)) issues.push(issue)
  for (const name of fields) {
    const values = given.get(name) ?? []
    const [value] = values
    const kind = kinds[name]
    if (value === undefined || !kind) continue
    if (kind === 'strings') input[name] = values
    else if (kind === 'numbers') input[name] = values.map((value) => fromText(plan, name, value, issues))
    else if (values.length > 1) issues.push({ path: name, message: `was given ${values.length} times: give it once` })
    else input[name] = fromText(plan, name, value, issues)
  }
}

/** Node.js limits the request line and headers to the same length. */
const longestQuery = 16_384

/** The values of each query parameter. Throws BAD_REQUEST for a query that is too long to parse, or not UTF-8. */
function valuesOf(query: string): Map<string, string[]> {
  if (query.length > longestQuery) {
    throw new ConductError('BAD_REQUEST', `The query has more than ${longestQuery.toLocaleString('en')} characters.`)
  }
  if (query.includes('%')) for (const pair of query.split('&')) requireUtf8(pair)
  const given = new Map<string, string[]>()
  // URLSearchParams drops one ? at the beginning, and another one belongs to a name.
  for (const [name, value] of new URLSearchParams(`?${query}`)) {
    const values = given.get(name)
    if (values) values.push(value)
    else given.set(name, [value])
  }
  return given
}

/** Throws BAD_REQUEST for a parameter with percent-encoded bytes that are not UTF-8: `URLSearchParams` would replace them. */
function requireUtf8(pair: string) {
  for (const [bytes] of pair.matchAll(/(?:%[\da-f]{2})+/gi)) {
    try {
      decodeURIComponent(bytes)
    } catch (cause) {
      const name = cut(pair.split('=', 1)[0] ?? '')
      const rule = 'percent-encode UTF-8, so é is %C3%A9'
      throw new ConductError('BAD_REQUEST', `${name}: contains '${cut(bytes)}': ${rule}.`, { cause })
    }
  }
}

function readBody(
  { fields, address, most }: InputPlan,
  raw: RawInput,
  input: Record<string, unknown>,
  issues: Issue[],
) {
  for (const name of valuesOf(raw.query).keys()) {
    issues.push({ path: cut(name), message: `must be in the body of a ${address.method}, not in the query` })
  }
  const { body } = raw
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    issues.push({ path: '', message: 'the body must be a JSON object' })
    return
  }
  const strangers: string[] = []
  let given = 0
  for (const [name, value] of Object.entries(body)) {
    const itemLimit = most[name]
    if (address.params.includes(name)) {
      if (typeof value === 'object' || String(value) !== raw.params[name])
        issues.push(contradiction(name, raw.params[name] ?? ''))
    } else if (!fields.has(name)) {
      strangers.push(name)
    } else if (itemLimit !== undefined && Array.isArray(value) && value.length > itemLimit) {
      // Do not validate the items of an array that is too long.
      issues.push({
        path: name,
        message: `must have at most ${itemLimit} items, not ${value.length.toLocaleString('en')}`,
      })
    } else {
      given++
      input[name] = value
    }
  }
  for (const issue of unknown('field', strangers, fields)) issues.push(issue)
  if (address.method === 'PATCH' && given === 0 && issues.length === 0) {
    issues.push({ path: '', message: `give at least one field to change: ${[...fields].join(', ')}` })
  }
}

const contradiction = (path: string, given: string): Issue => ({
  path,
  message: `is '${cut(given)}' in the address and cannot be changed: leave it out`,
})

/** Converts text from a query or path to the type of its field. Numbers must be decimal, so '' is not 0. */
function fromText(
  { kinds, highest }: Pick<InputPlan, 'kinds' | 'highest'>,
  path: string,
  text: string,
  issues: Issue[],
): unknown {
  if (kinds[path] === 'boolean' && /^(true|false)$/.test(text)) return text === 'true'
  if (!kinds[path]?.startsWith('number')) return text
  const number = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : undefined
  if (Number.isSafeInteger(number)) return number
  // The schema would name the number that JavaScript rounds it to.
  const rule = number === undefined ? 'a whole number' : `at most ${highest[path]}`
  issues.push({ path, message: `must be ${rule}, not '${cut(text)}'` })
  return undefined
}
