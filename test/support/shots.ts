import fc, { type Arbitrary } from 'fast-check'
import { addressOf, type Name, names } from '../../src/contract/paths.ts'
import { encodeCursor } from '../../src/frame/page.ts'
import { bodyOf, inFull, operationOf } from './described.ts'
import { oddBodies, oddHeaders, oddPairs, oddSegments, oddValues } from './odd.ts'

/** One request to one operation, right or spoiled. */
export interface Shot {
  name: Name
  /** Which of the callers sends it. */
  caller: number
  /** The parameters of the path, as they stand in the address. */
  params: Record<string, string>
  /** The query, as it stands in the address. */
  query: string[]
  headers: [name: string, value: string][]
  /** The fields of the body; undefined where the operation takes none. */
  fields?: [name: string, value: unknown][]
  /** Takes the place of the fields. */
  raw?: string | Uint8Array<ArrayBuffer>
}

interface Schema {
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  anyOf?: Schema[]
  items?: Schema
  minItems?: number
  maxItems?: number
  properties?: Record<string, Schema>
  required?: string[]
  propertyNames?: Schema
  additionalProperties?: Schema | boolean
  pattern?: string
  format?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
}

const slugs = fc.constantFrom('default', 'shop', 'shop', 'p1')
const numbers = fc.integer({ min: 1, max: 6 })
/** Mostly the first, which is there from the start. */
const mostly = <Value>(first: Value, ...others: Value[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(first) }, { weight: 1, arbitrary: fc.constantFrom(...others) })
const runIds = mostly('RUN-001', 'RUN-002', 'a:b')
const moment = fc.date({ min: new Date('2000-01-01'), max: new Date('2090-01-01'), noInvalidDate: true })
const order = fc.constantFrom('desc' as const, 'asc' as const)

/** Values by which calls meet what earlier calls made. */
const hints: Record<string, Arbitrary<unknown>> = {
  runId: runIds,
  retryOf: runIds,
  runIds: fc.uniqueArray(runIds, { minLength: 1, maxLength: 2 }),
  author: fc.constantFrom('Ada <ada@example.com>', 'bob@example.com'),
  assignee: fc.constantFrom('Ada <ada@example.com>', 'Bob <bob@example.com>'),
  specId: mostly('SPEC-001', 'spec-001', 'a:b'),
  checkId: mostly('CHECK-001', 'CHECK-002', 'a:b'),
  version: fc.constantFrom(1, 2, 3),
  n: fc.constantFrom(1, 1, 1, 2),
  turn: fc.constantFrom(1, 1, 1, 2),
  specVersion: numbers,
  subject: fc.constantFrom('RUN-001', 'CHECK-001', 'SPEC-001', 'a:b'),
  after: fc.constantFrom(0, 1, 5, 40, 1000),
  offset: fc.constantFrom(0, 1, 40),
  seq: fc.constantFrom(1, 5, 20),
  from: fc.constantFrom(1, 2, 5),
  to: fc.constantFrom(5, 20, 30),
  leaseSeconds: fc.constantFrom(60, 3600, 86_400),
  url: fc.constantFrom('http://localhost:9/', 'http://[::1]:9/hook', 'http://0x7f.1:9/'),
  slug: fc.oneof(
    slugs,
    slugs,
    fc.nat(99).map((n) => `p${n}`),
  ),
  project: slugs,
  confirm: slugs,
  'X-Project-ID': fc.constantFrom('default', 'default', 'shop'),
  id: numbers,
  featureId: numbers,
  featureIds: fc.array(numbers, { minLength: 1, maxLength: 5 }),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
  label: fc.constantFrom('team:web', 'team:', 'a:b:c'),
  labels: fc.constantFrom({ team: 'web' }, { team: '', a: 'b:c' }, {}),
  name: fc.constantFrom('auth', 'Auth', 'feature-3', 'feature-9', 'ÄÖ', '50%', 'a_b'),
  agent: fc.constantFrom('ci', 'claude'),
  q: fc.constantFrom('auth', 'RUN-001', 'a b', '%', '_', '\\', '"', '*', 'ä'),
  cursor: fc
    .tuple(order, moment, numbers)
    .map(([order, at, id]) => encodeCursor(order, { createdAt: at.toISOString(), id })),
  'If-Match': mostly('*', '"1-1"', '"1-1", "2-1"', 'W/"1-1"'),
  'Idempotency-Key': fc.noBias(fc.nat(1000)).map((n) => `k-${n}`),
}

function arbitraryOf(field: string, schema: Schema): Arbitrary<unknown> {
  const isList = schema.type === 'array'
  // Some names mean a number here and something else there: a text of a diff, the turn of a heartbeat, the id of a pipeline.
  const isOther =
    (field === 'labels' && isList) || (['after', 'from', 'id', 'turn'].includes(field) && schema.type !== 'integer')
  const hint = field === 'project' && isList ? fc.array(slugs, { maxLength: 2 }) : isOther ? undefined : hints[field]
  const made = bySchema(schema)
  return hint ? fc.oneof({ weight: 15, arbitrary: hint }, { weight: 1, arbitrary: made }) : made
}

/** Values that a JSON Schema of openapi.json lets through. */
function bySchema(schema: Schema): Arbitrary<unknown> {
  const { type, enum: values, anyOf, items, properties, minItems = 0, maxItems = 5 } = schema
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (values) return fc.constantFrom(...values)
  if (anyOf) return fc.oneof(...anyOf.map(bySchema))
  if (properties) return fc.record(fieldsOf(properties), { requiredKeys: schema.required ?? [] })
  switch (type) {
    case 'array':
      return fc.array(bySchema(items ?? {}), { minLength: minItems, maxLength: Math.min(maxItems, minItems + 3) })
    case 'object':
      return fc.dictionary(
        bySchema(schema.propertyNames ?? { type: 'string' }) as Arbitrary<string>,
        bySchema(schema.additionalProperties as Schema),
        { maxKeys: 3 },
      )
    case 'integer':
      return fc.maxSafeInteger().map((n) => clamp(n, schema))
    case 'number':
      return fc.double({ min: schema.minimum ?? 0, max: schema.maximum ?? 1e9, noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return textOf(schema)
  }
}

function clamp(n: number, { minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Schema): number {
  return minimum + (Math.abs(n) % (maximum - minimum + 1))
}

function textOf({ format, pattern, minLength = 0, maxLength = 300 }: Schema): Arbitrary<string> {
  if (format === 'date-time') return moment.map((date) => date.toISOString())
  if (pattern) return fc.stringMatching(new RegExp(pattern), { size: 'small' })
  // A character may take four bytes, and the limits are in bytes.
  return fc.string({
    unit: 'grapheme-composite',
    minLength,
    maxLength: Math.max(minLength, Math.min(maxLength >> 3, 30)),
  })
}

const fieldsOf = (properties: Record<string, Schema>) =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, arbitraryOf(name, schema)]))

/** What is mostly left out, since it is right only for what stands in the ledger just then. */
const seldom = [
  ...['Lease-Token', 'retryOf', 'offset', 'cursor', 'failure', 'leaseSeconds', 'expiresAt'],
  ...['project', 'createdAfter', 'createdBefore', 'endedAfter', 'endedBefore'],
  ...['createdAt', 'startedAt', 'endedAt', 'exitCode', 'n', 'open', 'activity', 'recorder'],
]

/** Ids that those who make something mostly leave to the server. */
const ownIds: Partial<Record<Name, string>> = { createRun: 'runId', createSpec: 'specId', createCheck: 'checkId' }

function withoutSeldom(shot: Shot): Shot {
  const isMeant = ([name]: [string, unknown]) => !seldom.includes(name) && name !== ownIds[shot.name]
  return {
    ...shot,
    query: shot.query.filter((pair) => !seldom.some((name) => pair.startsWith(`${name}=`))),
    headers: shot.headers.filter(isMeant),
    ...(shot.fields && { fields: shot.fields.filter(isMeant) }),
  }
}

const rightShots = new Map<Name, Arbitrary<Shot>>()

/** Requests to the operation as its description asks for them; what they name is mostly there in a furnished ledger. */
export function rightShot(name: Name): Arbitrary<Shot> {
  const known = rightShots.get(name) ?? makeRightShot(name)
  rightShots.set(name, known)
  return known
}

function makeRightShot(name: Name): Arbitrary<Shot> {
  const { parameters } = operationOf(name)
  const at = (place: string) => {
    const here = parameters.filter((parameter) => parameter.in === place)
    const arbitraries = fieldsOf(Object.fromEntries(here.map(({ name, schema }) => [name, inFull(schema) as Schema])))
    const requiredKeys = here.filter(({ required }) => required).map(({ name }) => name)
    return fc.record(arbitraries, { requiredKeys }).map(Object.entries<unknown>)
  }
  const body = bodyOf(name) as Schema | undefined
  const requiredKeys = [...(body?.required ?? []), ...(name === 'createCheck' ? ['runId'] : [])]
  const fields = body && fc.record(fieldsOf(body.properties ?? {}), { requiredKeys })
  const parts = {
    caller: fc.nat(),
    params: at('path').map((all) =>
      Object.fromEntries(all.map(([name, value]) => [name, encodeURIComponent(String(value))])),
    ),
    query: at('query').map((all) => all.flatMap(([name, value]) => [value].flat().map((one) => pair(name, one)))),
    headers: at('header').map((all) => all.map(([name, value]): [string, string] => [name, headerText(value)])),
    ...(fields && { fields: fields.map(Object.entries<unknown>) }),
  }
  const whole = fc.record(parts).map((shot): Shot => ({ name, ...shot }))
  return fc.oneof({ weight: 1, arbitrary: whole }, { weight: 3, arbitrary: whole.map(withoutSeldom) })
}

const pair = (name: string, value: unknown) => new URLSearchParams([[name, String(value)]]).toString()
const headerText = (value: unknown) =>
  String(value)
    .replace(/[^\x20-\x7e]/g, '?')
    .trim()

type Spoil = (shot: Shot) => Shot

const spoils: Arbitrary<Spoil> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(), oddValues).map(
    ([at, deeper, odd]): Spoil =>
      (shot) => ({ ...shot, ...(shot.fields && { fields: spoilOne(shot.fields, at, deeper, odd) }) }),
  ),
  fc.tuple(fc.constantFrom('__proto__', 'constructor', 'ID', 'id', 'runId', '', 'x', 'ifVersion'), oddValues).map(
    ([name, odd]): Spoil =>
      (shot) => ({ ...shot, ...(shot.fields && { fields: [...shot.fields, [name, odd]] }) }),
  ),
  oddPairs.map(
    (odd): Spoil =>
      (shot) => ({ ...shot, query: [...shot.query, odd] }),
  ),
  fc.nat().map(
    (at): Spoil =>
      (shot) => ({ ...shot, query: [...shot.query, ...shot.query.slice(at % (shot.query.length + 1))] }),
  ),
  oddSegments.map(
    (odd): Spoil =>
      (shot) => ({ ...shot, params: Object.fromEntries(Object.keys(shot.params).map((name) => [name, odd])) }),
  ),
  oddHeaders.map(
    (odd): Spoil =>
      (shot) => ({ ...shot, headers: [...shot.headers.filter(([name]) => name !== odd[0]), odd] }),
  ),
  oddBodies.map(
    (raw): Spoil =>
      (shot) =>
        addressOf(shot.name).method === 'GET' ? shot : { ...shot, raw },
  ),
)

function spoilOne(fields: [string, unknown][], at: number, deeper: number, odd: unknown): [string, unknown][] {
  return fields.map(([name, value], index) => [
    name,
    index === at % fields.length ? spoilValue(value, deeper, odd) : value,
  ])
}

function spoilValue(value: unknown, deeper: number, odd: unknown): unknown {
  const parts = value instanceof Object ? Object.keys(value) : []
  if (parts.length === 0 || deeper % 2 === 0) return odd
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...(value as object) }
  copy[parts[deeper % parts.length] as string] = odd
  return copy
}

/** Requests to any operation: a half as they should be, a half spoiled in one or two places. */
export const shots: Arbitrary<Shot> = fc
  .tuple(
    fc.constantFrom(...names).chain(rightShot),
    fc.oneof(fc.constant([]), fc.array(spoils, { minLength: 1, maxLength: 2 })),
  )
  .map(([shot, spoiled]) => spoiled.reduce((shot, spoil) => spoil(shot), shot))

/** The request of a shot; `base` is the server's address with the base path. */
export function requestOf({ name, params, query, headers, fields, raw }: Shot, base: string, key?: string): Request {
  const { method, path } = addressOf(name)
  const address = path.replace(/:(\w+)/g, (_, param) => params[param] as string)
  // Not by JSON.stringify of an object: that has no room for __proto__ or for a field given twice.
  const text = fields && `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`
  const body = raw ?? text
  const all = new Headers()
  if (key !== undefined) all.set('Authorization', `Bearer ${key}`)
  if (body !== undefined) all.set('Content-Type', 'application/json')
  for (const [header, value] of headers) all.set(header, value)
  const search = query.length > 0 ? `?${query.join('&')}` : ''
  return new Request(base + address + search, { method, headers: all, ...(body !== undefined && { body }) })
}
