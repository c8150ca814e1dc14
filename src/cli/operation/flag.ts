import { InvalidArgumentError, Option } from 'commander'
import { justBefore, midnightOf, spanMsOf } from '../../contract/ago.ts'
import { meanings } from '../../operations/meaning.ts'
import { kebab } from '../../terminal/option.ts'
import { featureOf } from './complete.ts'

/** The parts of a JSON schema that the command line reads. */
export interface FlagSchema {
  type?: string
  enum?: string[]
  format?: string
  anyOf?: FlagSchema[]
  items?: FlagSchema
  properties?: Record<string, FlagSchema>
  required?: string[]
  additionalProperties?: FlagSchema | boolean
  description?: string
  default?: unknown
}

/** One flag: where its value goes in the input, and how to parse its text. */
export interface Flag {
  field: string
  /** The property of an object field: `commit` of `git`, `keep.labels` of `retention`. */
  part?: string
  name: string
  schema: FlagSchema
  many: boolean
  option: Option
}

type Input = Record<string, unknown>

/** Flags to repeat, named for one value. */
const singular: Record<string, string> = {
  ...{ labels: 'label', links: 'link', permissions: 'permission' },
  ...{ tools: 'tool', files: 'file', commands: 'command', agents: 'agent' },
}

/** Descriptions of flags that differ from those of their API fields, by the path of the field. */
const ownMeanings: Record<string, string> = {
  label: '',
  featureId: 'its number or name',
  specVersion: 'the version of the spec that the run works on',
  project: 'a project other than the current one',
  cursor: 'where the previous page ended',
  'retention.contentDays': 'days after the end of a run at which its texts are erased',
  'retention.runDays': 'days after the end of a run at which it is deleted',
  ifVersion: 'change nothing unless this is the current version number',
}

/** The schema without null, and whether it allowed null. */
export function nonNull({ anyOf, ...rest }: FlagSchema): { schema: FlagSchema; nullable: boolean } {
  const inner = anyOf?.filter(({ type }) => type !== 'null').at(-1)
  return { schema: { ...inner, ...rest }, nullable: anyOf?.some(({ type }) => type === 'null') ?? false }
}

/** The flags of an input field: one, or one for each property of an object. */
export function flagsOf(field: string, outer: FlagSchema, required: boolean): Flag[] {
  const { schema } = nonNull(outer)
  if (!schema.properties) return [flagOf(field, undefined, schema, required)]
  return partsOf(schema.properties).map(([part, inner]) => flagOf(field, part, inner, false))
}

/** The parts of an object, and those of the objects in it. */
function partsOf(properties: Record<string, FlagSchema>): [part: string, schema: FlagSchema][] {
  return Object.entries(properties).flatMap(([part, outer]): [string, FlagSchema][] => {
    const { schema } = nonNull(outer)
    if (!schema.properties) return [[part, schema]]
    return partsOf(schema.properties).map(([inner, its]) => [`${part}.${inner}`, its])
  })
}

function flagOf(field: string, part: string | undefined, schema: FlagSchema, required: boolean): Flag {
  const many = schema.type === 'array' || isRecord(schema)
  const parts = (part?.split('.') ?? []).map((one) => `-${kebab((many && singular[one]) || one)}`)
  const name = `--${kebab(singular[field] ?? field)}${parts.join('')}`
  const one = schema.items ?? schema
  const path = part === undefined ? field : `${field}.${part}`
  const value = placeholder(schema, part ?? field)
  const option = new Option(
    // Alone, it means true.
    schema.type === 'boolean' ? `${name} [${value}]` : `${name} <${value}>`,
    meaning(
      { ...schema, description: ownMeanings[path] ?? schema.description ?? meanings[path.split('.').at(-1) ?? ''] },
      many,
    ),
  )
  const choices = one.enum ?? (one.type === 'boolean' ? ['true', 'false'] : undefined)
  if (choices) option.choices(choices)
  option.argParser((text: string, before: unknown): unknown => {
    const value = readField[field]?.(text) ?? read(text, field, schema, choices)
    return many ? [...((before as unknown[] | undefined) ?? []), value] : value
  })
  return {
    field,
    ...(part !== undefined && { part }),
    name,
    schema,
    many,
    option: option.makeOptionMandatory(required),
  }
}

/** Fields whose values people write differently from the API. */
const readField: Record<string, (text: string) => unknown> = {
  label: (text) => text.replace(/^([^:=]+)=/, '$1:'),
  featureId: featureOf,
}

const isRecord = ({ type, properties }: FlagSchema) => type === 'object' && !properties

/** The names of the two halves of a flag such as `--link rel=href`. */
function halves(field: string, schema: FlagSchema): [string, string] | undefined {
  if (isRecord(schema)) return ['name', 'value']
  if (field === 'features') return ['name', 'description']
  return field === 'links' ? ['rel', 'href'] : undefined
}

/** Whether the value of a flag is an object, written as JSON. */
const isJson = (field: string, schema: FlagSchema) => schema.items?.properties !== undefined && !halves(field, schema)

/**
 * The placeholder for the value in the help: `rel=href`, `n`, `text`, or the field's own name if it has fixed values.
 */
function placeholder(schema: FlagSchema, field: string): string {
  // A filter by label is written like a label.
  const names = field === 'label' ? ['name', 'value'] : halves(field, schema)
  if (names) return names.join('=')
  if (isJson(field, schema)) return 'json'
  if (field === 'featureId') return 'feature'
  const { type, enum: values, format } = nonNull(schema.items ?? schema).schema
  if (values) return kebab(singular[field] ?? field)
  if (type === 'integer') return 'n'
  if (type === 'number') return 'number'
  if (type === 'boolean') return 'true|false'
  if (format === 'date-time') return 'time'
  return /Id$|^retryOf$|^slug$|^project$|^after$/.test(field) ? 'id' : 'text'
}

function meaning({ description, default: fallback, format }: FlagSchema, many: boolean): string {
  const words = [description?.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase()) ?? '']
  if (fallback !== undefined) words.push(`default ${fallback}`)
  if (format === 'date-time') words.push('a time, a day, or a span such as 7d')
  if (many) words.push('repeatable')
  return words.filter(Boolean).join('; ')
}

/**
 * The value of a flag, added to the earlier ones if it can be repeated. Throws the error that commander reports as a
 * wrong argument.
 */
function read(text: string, field: string, schema: FlagSchema, choices: string[] | undefined): unknown {
  const { type } = schema.items ?? schema
  if (choices && !choices.includes(text)) throw new InvalidArgumentError(`It must be one of ${choices.join(', ')}.`)
  if (type === 'boolean') return text === 'true'
  if (type === 'integer' || type === 'number') return numberOf(text, type)
  if (isJson(field, schema)) return objectOf(text)
  if (nonNull(schema).schema.format === 'date-time') return momentOf(text, field)
  const names = halves(field, schema)
  if (!names) return text
  const at = text.search(/[=:]/)
  if (at < 1) throw new InvalidArgumentError(`It must be ${names.join('=')}.`)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** Fields that name a moment to come. */
const toCome = ['expiresAt', 'until']

/**
 * A moment from a span such as `7d`, that long ago or, for what is to come, from now; and from a day, its midnight here.
 * Both include their first moment, which filters exclude. Times are the API's.
 */
function momentOf(text: string, field: string): string {
  const first = midnightOf(text) ?? otherEndOf(text, field)
  if (first) return (field.endsWith('After') ? justBefore(first) : first).toISOString()
  if (text.includes('T')) return text
  throw new InvalidArgumentError('It must be like 2026-01-31, 2026-01-31T09:30:00Z or 7d.')
}

/** The end of a span that is not now; undefined for any other text. */
function otherEndOf(text: string, field: string): Date | undefined {
  const spanMs = spanMsOf(text)
  return spanMs === undefined ? undefined : new Date(Date.now() + (toCome.includes(field) ? spanMs : -spanMs))
}

function objectOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Reported below.
  }
  throw new InvalidArgumentError('It must be a JSON object.')
}

/** Parses a number. Only decimal notation is allowed. */
export function numberOf(text: string, type: 'integer' | 'number'): number {
  const pattern = type === 'integer' ? /^-?(0|[1-9]\d{0,15})$/ : /^\d{1,16}(\.\d{1,16})?$/
  if (pattern.test(text)) return Number(text)
  throw new InvalidArgumentError(`It must be a ${type === 'integer' ? 'whole ' : ''}number.`)
}

/** The input from the given flags, as commander passes them. */
export function inputOf(flags: Flag[], options: Input): Input {
  const input: Input = {}
  for (const { field, part, option, schema } of flags) {
    const given = options[option.attributeName()]
    if (given === undefined) continue
    if (part === undefined) input[field] = joined(given, field, schema)
    else input[field] = withPart(input[field] as Input | undefined, part.split('.'), given)
  }
  return input
}

const withPart = (whole: Input = {}, [part = '', ...inner]: string[], value: unknown): Input => ({
  ...whole,
  [part]: inner.length === 0 ? value : withPart(whole[part] as Input | undefined, inner, value),
})

function joined(given: unknown, field: string, schema: FlagSchema): unknown {
  const names = halves(field, schema)
  if (!names) return given
  const pairs = given as [string, string][]
  if (isRecord(schema)) return Object.fromEntries(pairs)
  return pairs.map(([first, second]) => ({ [names[0]]: first, [names[1]]: second }))
}

/** The inverse of `inputOf`: the words of the flags that would make this input. */
export function wordsOfInput(flags: Flag[], input: Input): string[] {
  return flags.flatMap(({ field, part, name, schema }) => {
    const whole = input[field]
    const value = (part?.split('.') ?? []).reduce((one, name) => (one as Input | undefined)?.[name], whole)
    if (value === undefined) return []
    const all = isRecord(schema) ? Object.entries(value as Input).map((pair) => pair.join('=')) : [value].flat()
    return all.flatMap((one) => [name, typeof one === 'object' ? JSON.stringify(one) : String(one)])
  })
}
