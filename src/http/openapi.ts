import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { statusOf } from '../api/error.ts'
import { type Address, addressOf, headerFields, type Name, names } from '../api/paths.ts'
import { type Route, routes } from '../api/routes.ts'
import { root } from '../root.ts'

/** A JSON Schema, as far as its parts are read here. */
export interface Schema {
  type?: string | string[]
  description?: string
  enum?: string[]
  items?: Schema
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  [part: string]: unknown
}

interface Response {
  content?: { 'application/json': { example?: unknown } }
}

export interface Operation {
  operationId: Name
  summary: string
  description: string
  /** Empty where no key is needed. */
  security?: []
  parameters: { name: string; in: string; required: boolean; description?: string; schema: Schema; example?: unknown }[]
  requestBody?: { required: boolean; content: { 'application/json': { schema: Schema; example: unknown } } }
  responses: Record<string, Response>
}

export interface OpenApi {
  openapi: string
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } }
  servers: { url: string }[]
  security: Record<string, string[]>[]
  paths: Record<string, Record<string, Operation>>
  components: Record<string, unknown>
}

const errorSchema = z.object({
  error: z.string().describe('What is wrong, with the value, and what to do'),
  code: z.enum(Object.keys(statusOf)),
  requestId: z.string(),
  issues: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .describe('Only for VALIDATION_ERROR'),
})

/** A schema whose named parts stand among the components. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _, $defs: __, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return amongComponents<Schema>(json)
}

const amongComponents = <Value>(value: object): Value =>
  JSON.parse(JSON.stringify(value).replaceAll('#/$defs/', '#/components/schemas/'))

/** The schemas that have a name, in `meta({ id })`. */
function componentsOf(): Record<string, Schema> {
  const all = {}
  for (const name of names) Object.assign(all, z.toJSONSchema(routes[name].output, { unrepresentable: 'any' }).$defs)
  return amongComponents<Record<string, Schema>>(all)
}

/** The API as OpenAPI 3.1, printed from the table of operations; `answers` are examples of what each answers. */
export function openapi(version: string, answers: Partial<Record<Name, unknown>>): OpenApi {
  const paths: OpenApi['paths'] = {}
  for (const name of names) {
    const { method, path } = addressOf(name)
    const template = path.replace(/:(\w+)/g, '{$1}')
    paths[template] = { ...paths[template], [method.toLowerCase()]: operationOf(name, answers[name]) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Conduct',
      version,
      description: 'The ledger of what coding agents did.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/conduct' }],
    security: [{ key: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A key: sk_<role>_<43 characters>' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'conduct_session_3000',
          description: 'The cookie of createSession, named by the port; a write needs Sec-Fetch-Site: same-origin too',
        },
      },
      responses: failureResponses(),
      schemas: { ...componentsOf(), Error: schemaOf(errorSchema, 'output') },
    },
  }
}

function operationOf(name: Name, answer: unknown): Operation {
  const route: Route = routes[name]
  const address = addressOf(name)
  const needsKey = route.permission !== 'none'
  const { properties = {}, required = [] } = schemaOf(route.input, 'input')
  const { parameters, body } = placesOf(address, properties)
  return {
    operationId: name,
    summary: route.summary,
    description: needsKey ? `Permission: ${route.permission}.` : 'It needs no key.',
    ...(!needsKey && { security: [] }),
    parameters: [
      ...parameters.map(({ field, at, header }) => {
        const { description, ...schema } = properties[field] ?? {}
        const example = route.example[field]
        return {
          name: header ?? field,
          in: at,
          required: at === 'path' || required.includes(field),
          ...(description !== undefined && { description }),
          schema,
          ...(example !== undefined && { example }),
        }
      }),
      ...(needsKey ? [projectHeader] : []),
      ...(needsKey && address.method !== 'GET' ? [idempotencyHeader] : []),
    ],
    ...(body.length > 0 && {
      requestBody: requestBodyOf(route, address.method === 'PATCH', body, properties, required),
    }),
    responses: responsesOf(route, address, answer),
  }
}

const projectHeader = {
  name: 'X-Project-ID',
  in: 'header',
  required: false,
  description: 'The project to act in, for a key of the whole server; else default',
  schema: { type: 'string' },
}

const idempotencyHeader = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same request with the same key is carried out once, for 24 hours',
  schema: { type: 'string', maxLength: 255 },
}

/** Where each input field travels. */
function placesOf({ method, params }: Address, properties: Record<string, Schema>) {
  const parameters: { field: string; at: string; header?: string }[] = []
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

function requestBodyOf(
  route: Route,
  isPatch: boolean,
  fields: string[],
  properties: Record<string, Schema>,
  required: string[],
) {
  const pick = <Value>(all: Record<string, Value>) =>
    Object.fromEntries(fields.flatMap((field) => (all[field] === undefined ? [] : [[field, all[field]]])))
  const demanded = required.filter((field) => fields.includes(field))
  const schema = {
    type: 'object',
    properties: pick(properties),
    ...(demanded.length > 0 && { required: demanded }),
    ...(isPatch && { minProperties: 1 }),
    additionalProperties: false,
  }
  return {
    required: demanded.length > 0 || isPatch,
    content: { 'application/json': { schema, example: pick(route.example) } },
  }
}

function responsesOf(route: Route, { method }: Address, answer: unknown) {
  const content = {
    'application/json': { schema: schemaOf(route.output, 'output'), ...(answer !== undefined && { example: answer }) },
  }
  const failures = failureStatuses.filter((status) => method !== 'GET' || !onlyWrites.has(status))
  return {
    ...Object.fromEntries(
      route.success.map((status) => [status, { description: status === 201 ? 'Created' : 'OK', content }]),
    ),
    ...Object.fromEntries(failures.map((status) => [status, { $ref: `#/components/responses/${status}` }])),
  }
}

const failureStatuses = [...new Set<number>(Object.values(statusOf))]

/** Each status of failure, with the codes that it carries. */
function failureResponses() {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
  const codesOf = (status: number) =>
    Object.entries(statusOf)
      .filter(([, its]) => its === status)
      .map(([code]) => code)
  return Object.fromEntries(
    failureStatuses.map((status) => [status, { description: codesOf(status).join(', '), content }]),
  )
}

const onlyWrites = new Set<number>([409, 412, 413, 415, 507])

let committed: OpenApi | undefined

/** The description that ships with Conduct, as of a server under `basePath`. */
export function readOpenapi(basePath: string): OpenApi {
  committed ??= JSON.parse(readFileSync(join(root, 'openapi.json'), 'utf8')) as OpenApi
  return { ...committed, servers: [{ url: basePath || '/' }] }
}
