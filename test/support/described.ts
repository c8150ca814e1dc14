import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { addressOf, type Name } from '../../src/contract/paths.ts'
import {
  bodySchemaOf,
  type OpenApi,
  type OpenApiOperation,
  type OpenApiSchema,
  type Response,
  readOpenapi,
  resolved,
} from '../../src/server/openapi/document.ts'

export const document: OpenApi = readOpenapi('/conduct')

export function operationOf(name: Name): OpenApiOperation {
  const { method, path } = addressOf(name)
  return document.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()] as OpenApiOperation
}

/** A schema without references. */
export function inFull(schema: OpenApiSchema): OpenApiSchema {
  const { properties, items, anyOf, ...rest } = resolved(document, schema)
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, inFull(one)])),
    }),
    ...(items && { items: inFull(items) }),
    ...(anyOf && { anyOf: anyOf.map(inFull) }),
  }
}

/** The schema of the request body of an operation, without references. */
export function bodyOf(name: Name): OpenApiSchema | undefined {
  const schema = bodySchemaOf(document, operationOf(name))
  return schema && inFull(schema)
}

/** The response in openapi.json; undefined if the operation does not have that status. */
export function responseOf(name: Name, status: number): Response | undefined {
  const response = operationOf(name).responses[status] as Response | undefined
  return response?.$ref ? (resolve(response.$ref) as Response) : response
}

function resolve(pointer: string): unknown {
  const steps = pointer.replace(/^#\//, '').split('/')
  return steps.reduce<unknown>((node, step) => (node as Record<string, unknown>)[step], document)
}

const ajv = new Ajv2020({ strict: false, allErrors: true })
formats.default(ajv)
ajv.addSchema({ $id: 'api', components: closed(document.components) })

/** The same schemas, but closed to unknown fields. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const parts = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, closed(part)]))
  return 'properties' in parts && !('additionalProperties' in parts) ? { ...parts, additionalProperties: false } : parts
}

const validators = new Map<object, ValidateFunction>()

/** How a value violates a schema of openapi.json; undefined if it does not. */
export function faultOf(schema: object, value: unknown): string | undefined {
  let validate = validators.get(schema)
  if (!validate) {
    validate = ajv.compile(JSON.parse(JSON.stringify(closed(schema)).replaceAll('"#/components/', '"api#/components/')))
    validators.set(schema, validate)
  }
  return validate(value) ? undefined : ajv.errorsText(validate.errors)
}

/** How a response violates openapi.json; undefined if it does not. */
export function answerFault(name: Name, status: number, body: unknown): string | undefined {
  const response = responseOf(name, status)
  if (!response) return `${status} is not a documented status of ${name}`
  return faultOf(response.content?.['application/json']?.schema ?? { not: {} }, body)
}
