import { statusOf } from '../../contract/error.ts'
import { addressOf, headerFields, type Name, type OperationPath } from '../../contract/paths.ts'
import { type CsvPlan, csvPlanOf } from '../../operations/csv.ts'
import { meanings } from '../../operations/meaning.ts'
import { type Route, routes } from '../../operations/routes.ts'
import { answerPlanOf } from '../answer.ts'
import { failureHeadersOf, headersOf, type OpenApiOperation, type OpenApiSchema, type Response } from './document.ts'
import { type SchemaNaming, schemaOf } from './schema.ts'

interface Into {
  named: SchemaNaming
  /** Collects the bodies and responses, by name. */
  parts: Record<string, OpenApiSchema>
}

const failureStatuses = [...new Set<number>(Object.values(statusOf))]
const onlyWrites = new Set<number>([409, 412, 413, 415, 507])

export function operationOf(name: Name, answer: unknown, into: Into): OpenApiOperation {
  const route: Route = routes[name]
  const address = addressOf(name)
  const needsKey = route.permission !== 'none'
  const input = schemaOf(route.input, 'input')
  const { parameters, body } = placesOf(address, input.properties ?? {})
  const csv = csvPlanOf(name)
  return {
    operationId: name,
    tags: [address.path.split('/')[2] as string],
    summary: route.summary,
    description: descriptionOf(name, route),
    ...(!needsKey && { security: [] }),
    parameters: [
      ...parameters.map((place) => parameterOf(place, route, input, into)),
      ...(needsKey && !route.isOfServer ? [projectHeader] : []),
      ...(isReplayed(name) ? [idempotencyHeader] : []),
      ...(name === 'listEvents' ? [lastEventIdHeader] : []),
    ],
    ...(body.length > 0 && { requestBody: requestBodyOf(name, body, input, into) }),
    responses: responsesOf(name, answer, into),
    ...(csv && { 'x-csv': csv.map(({ field }) => field) }),
  }
}

interface ParameterPlace {
  field: string
  at: string
  header?: string
}

/** Where each input field goes: path, query, header or body. */
function placesOf({ method, params }: OperationPath, properties: Record<string, OpenApiSchema>) {
  const parameters: ParameterPlace[] = []
  const body: string[] = []
  for (const field of Object.keys(properties)) {
    if (params.includes(field)) parameters.push({ field, at: 'path' })
    else if (field in headerFields)
      parameters.push({ field, at: 'header', header: headerFields[field as keyof typeof headerFields] })
    else if (method === 'GET') parameters.push({ field, at: 'query' })
    else body.push(field)
  }
  return { parameters, body }
}

function parameterOf(
  { field, at, header }: ParameterPlace,
  route: Route,
  { properties = {}, required = [] }: OpenApiSchema,
  into: Into,
) {
  const { description = meanings[field], ...schema } = properties[field] ?? {}
  const example = route.example[field]
  return {
    name: header ?? field,
    in: at,
    required: at === 'path' || required.includes(field),
    ...(description !== undefined && { description }),
    schema: into.named.whole(schema),
    ...(example !== undefined && { example }),
  }
}

export const projectHeader = {
  name: 'X-Project-ID',
  in: 'header',
  required: false,
  description: 'The project to act in, for a key of the whole server; default: default',
  schema: { type: 'string' },
  example: 'default',
}

const idempotencyHeader = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'A request with the same key happens only once within 24 hours',
  schema: { type: 'string', maxLength: 255 },
}

const lastEventIdHeader = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'For a stream: the id of the last event that was received, in place of after',
  schema: { type: 'string' },
}

/** Whether an Idempotency-Key stores the response. */
function isReplayed(name: Name): boolean {
  const { permission, isAnew }: Route = routes[name]
  return permission !== 'none' && addressOf(name).method !== 'GET' && !isAnew
}

/** `CreateRun` for `createRun`. */
const capital = (name: string) => name.slice(0, 1).toUpperCase() + name.slice(1)

/** Turns a schema into a named component. */
function part(name: string, schema: OpenApiSchema, { named, parts }: Into): OpenApiSchema {
  parts[name] = named.inside(schema)
  return { $ref: `#/components/schemas/${name}` }
}

function requestBodyOf(name: Name, fields: string[], { properties = {}, required = [] }: OpenApiSchema, into: Into) {
  const pick = (all: Record<string, unknown>) =>
    Object.fromEntries(fields.filter((field) => field in all).map((field) => [field, all[field]]))
  const demanded = required.filter((field) => fields.includes(field))
  const isPatch = addressOf(name).method === 'PATCH'
  const schema = {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field, defaultInWords(properties[field] ?? {})])),
    ...(demanded.length > 0 && { required: demanded }),
    ...(isPatch && { minProperties: 1 }),
    additionalProperties: false,
  }
  const content = { schema: part(`${capital(name)}Body`, schema, into), example: pick(routes[name].example) }
  return { required: demanded.length > 0 || isPatch, content: { 'application/json': content } }
}

/**
 * Says the default of a field of a body in its description. Generated clients would otherwise require the field, since
 * they also read the schemas of bodies as those of answers.
 */
function defaultInWords({ default: value, ...schema }: OpenApiSchema): OpenApiSchema {
  if (value === undefined) return schema
  return { ...schema, description: [schema.description, `default: ${value}`].filter(Boolean).join('; ') }
}

function responsesOf(name: Name, answer: unknown, into: Into): Record<string, Response> {
  const route: Route = routes[name]
  const { method } = addressOf(name)
  const plan = answerPlanOf(name)
  const schema = part(`${capital(name)}Answer`, schemaOf(route.output, 'output'), into)
  const content: Response['content'] = {
    'application/json': { schema, ...(answer !== undefined && { example: answer }) },
    ...(name === 'listEvents' && { 'text/event-stream': eventStream }),
    ...(name in notes && { 'text/plain': { schema: { type: 'string', description: notes[name] } } }),
  }
  const is = {
    keyed: route.permission !== 'none',
    write: method !== 'GET',
    replayed: isReplayed(name),
    page: csvPlanOf(name) !== undefined && ('cursor' in route.input.shape || 'after' in route.input.shape),
  }
  const successes = (route.success ?? [200]).map((status = 200) => {
    const own = { ...plan, location: status === 201 ? plan.location : undefined }
    return [status, { description: status === 201 ? 'Created' : 'OK', headers: headersOf(own, is), content }]
  })
  return { ...Object.fromEntries(successes), ...failuresOf({ isWrite: is.write }) }
}

/** The failures that an operation may have. */
export const failuresOf = ({ isWrite }: { isWrite: boolean }): Record<string, Response> =>
  Object.fromEntries(
    failureStatuses
      .filter((status) => isWrite || !onlyWrites.has(status))
      .map((status) => [status, { $ref: `#/components/responses/${status}` }]),
  )

/** The same events as a stream, for clients that accept one. */
const eventStream = {
  schema: {
    type: 'string',
    description:
      'Server-sent events without end: `id` is the seq, or the id of the event where the stream began after an id, `data` an Event as JSON',
  },
}

/**
 * The description of an operation. Only this text says that a list is available as CSV, and a content as text: with a
 * second content type, generated clients would type each answer as itself or a string.
 */
function descriptionOf(name: Name, { permission }: Route): string {
  const needs = permission === 'none' ? 'It needs no key.' : `Permission: ${permission}.`
  const csv = csvPlanOf(name)
  if (name === 'readContent') return `${needs} ${asTextWords}`
  if (name === 'getDiff') return `${needs} ${asDiffWords}`
  if (name in notes) return `${needs} Without \`Accept: application/json\`, returns text.`
  return csv ? `${needs} ${csvWords(csv)}` : needs
}

const csvWords = (plan: CsvPlan) =>
  `With \`Accept: text/csv\`, returns ${plan.map(({ field }) => `\`${field}\``).join(' or ')} as CSV (RFC 4180): a header, and a line for each.`

const asTextWords =
  'With `Accept: text/plain`, returns the whole content as a text file. A line stands for each gap: a content larger than the limit of the server (`CONDUCT_CONTENT_LIMIT`) keeps its beginning and its newest part.'

const asDiffWords =
  'With `Accept: text/x-diff`, returns the page as a unified diff. A line that begins with `#` stands before each file whose diff is not whole.'

/** Operations that return text to clients that do not ask for JSON. */
const notes: { [N in Name]?: string } = {
  getCheckpoint: 'The note of the checkpoint, unless Accept asks for JSON',
  getProof: 'The proof, unless Accept asks for JSON',
}

/** Each status of failure, with its codes. */
export function failureResponses(): Record<string, Response> {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/ErrorAnswer' } } }
  const codesOf = (status: number) =>
    Object.entries(statusOf)
      .filter(([, its]) => its === status)
      .map(([code]) => code)
  return Object.fromEntries(
    failureStatuses.map((status) => [
      status,
      { description: codesOf(status).join(', '), headers: failureHeadersOf(status), content },
    ]),
  )
}
