import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../root.ts'
import { version } from '../../version.ts'
import type { AnswerPlan } from '../answer.ts'

/** The parts of a JSON Schema that the description contains and its readers use. */
export interface OpenApiSchema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  description?: string
  properties?: Record<string, OpenApiSchema>
  required?: string[]
  items?: OpenApiSchema
  anyOf?: OpenApiSchema[]
  oneOf?: OpenApiSchema[]
  additionalProperties?: OpenApiSchema | boolean
  [keyword: string]: unknown
}

interface Parameter {
  name: string
  in: string
  required: boolean
  description?: string
  schema: OpenApiSchema
  example?: unknown
}

export interface Response {
  $ref?: string
  description?: string
  headers?: Record<string, { $ref: string }>
  content?: Record<string, { schema: OpenApiSchema; example?: unknown }>
}

export interface OpenApiOperation {
  operationId: string
  tags: string[]
  summary: string
  description: string
  /** Empty if no key is needed. */
  security?: []
  parameters: Parameter[]
  requestBody?: { required: boolean; content: { 'application/json': { schema: OpenApiSchema; example?: unknown } } }
  responses: Record<string, Response>
  /** The fields of the response that are available as CSV. */
  'x-csv'?: string[]
}

export interface OpenApi {
  openapi: string
  info: {
    title: string
    version: string
    description: string
    contact: { name: string }
    license: { name: string; identifier: string }
  }
  servers: { url: string }[]
  security: Record<string, string[]>[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, OpenApiOperation>>
  webhooks: Record<string, Record<string, OpenApiOperation>>
  components: { schemas: Record<string, OpenApiSchema>; responses: Record<string, Response>; [kind: string]: unknown }
}

let committed: OpenApi | undefined

/** The API description that ships with Conduct, for a server under `basePath`. */
export function readOpenapi(basePath: string): OpenApi {
  committed ??= JSON.parse(readFileSync(join(root, 'openapi.json'), 'utf8')) as OpenApi
  const info = { ...committed.info, version }
  return { ...committed, info, servers: [{ url: basePath || '/' }] }
}

/** The schema that a reference names, merged with the keywords beside the reference; other schemas unchanged. */
export function resolved({ components }: Pick<OpenApi, 'components'>, schema: OpenApiSchema): OpenApiSchema {
  const { $ref, ...beside } = schema
  if ($ref === undefined) return schema
  return { ...components.schemas[$ref.replace('#/components/schemas/', '')], ...beside }
}

/** The schema of the request body of an operation; undefined if it has none. */
export function bodySchemaOf(
  api: Pick<OpenApi, 'components'>,
  { requestBody }: OpenApiOperation,
): OpenApiSchema | undefined {
  return requestBody && resolved(api, requestBody.content['application/json'].schema)
}

const header = (description: string, type = 'string') => ({ description, schema: { type } })

/** The response headers, as components. */
export const headers = {
  'X-Request-Id': header('Identifies the request in the log of the server'),
  'X-RateLimit-Limit': header('The requests per minute of the key', 'integer'),
  'X-RateLimit-Remaining': header('The requests left in this minute', 'integer'),
  'X-RateLimit-Reset': header('When the minute ends, in Unix seconds', 'integer'),
  'Retry-After': header('Seconds to wait before the same request may succeed', 'integer'),
  'WWW-Authenticate': header('Always Bearer'),
  ETag: header('The version of the resource, for If-Match'),
  Location: header('The address of the new resource'),
  Link: header('The next page, with rel="next"'),
  'Idempotent-Replayed': header('true: the response to an earlier request with the same Idempotency-Key'),
}

type Header = keyof typeof headers

const always: Header[] = ['X-Request-Id']
const limits: Header[] = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset']

/** References to the headers of a successful response. */
export function headersOf(plan: Partial<AnswerPlan>, is: { keyed: boolean; replayed: boolean; page: boolean }) {
  return references([
    ...always,
    ...(is.keyed ? limits : []),
    ...(plan.resource ? (['ETag'] as const) : []),
    ...(plan.location ? (['Location'] as const) : []),
    ...(is.page ? (['Link'] as const) : []),
    ...(is.replayed ? (['Idempotent-Replayed'] as const) : []),
  ])
}

/** References to the headers of a failure with that status. */
export const failureHeadersOf = (status: number) =>
  references([
    ...always,
    ...(status === 401 ? (['WWW-Authenticate'] as const) : []),
    ...(status === 429 || status === 503 ? (['Retry-After'] as const) : []),
  ])

const references = (names: readonly Header[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
