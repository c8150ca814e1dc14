import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../root.ts'
import { version } from '../../version.ts'

/** The parts of a JSON Schema that the description contains and its readers use. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  additionalProperties?: Schema | boolean
  [keyword: string]: unknown
}

export interface Parameter {
  name: string
  in: string
  required: boolean
  description?: string
  schema: Schema
  example?: unknown
}

export interface Response {
  $ref?: string
  description?: string
  headers?: Record<string, { $ref: string }>
  content?: Record<string, { schema: Schema; example?: unknown }>
}

export interface Operation {
  operationId: string
  tags: string[]
  summary: string
  description: string
  /** Empty if no key is needed. */
  security?: []
  parameters: Parameter[]
  requestBody?: { required: boolean; content: { 'application/json': { schema: Schema; example?: unknown } } }
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
  paths: Record<string, Record<string, Operation>>
  webhooks: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema>; responses: Record<string, Response>; [kind: string]: unknown }
}

let committed: OpenApi | undefined

/** The API description that ships with Conduct, for a server under `basePath`. */
export function readOpenapi(basePath: string): OpenApi {
  committed ??= JSON.parse(readFileSync(join(root, 'openapi.json'), 'utf8')) as OpenApi
  const info = { ...committed.info, version }
  return { ...committed, info, servers: [{ url: basePath || '/' }] }
}

/** The schema that a reference names, merged with the keywords beside the reference; other schemas unchanged. */
export function resolved({ components }: Pick<OpenApi, 'components'>, schema: Schema): Schema {
  const { $ref, ...beside } = schema
  if ($ref === undefined) return schema
  return { ...components.schemas[$ref.replace('#/components/schemas/', '')], ...beside }
}

/** The schema of the request body of an operation; undefined if it has none. */
export function bodySchemaOf(api: Pick<OpenApi, 'components'>, { requestBody }: Operation): Schema | undefined {
  return requestBody && resolved(api, requestBody.content['application/json'].schema)
}
