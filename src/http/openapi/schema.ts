import { z } from 'zod'
import { checkResult } from '../../api/check.ts'
import { eventType } from '../../api/event.ts'
import { contentType } from '../../api/field.ts'
import { permission } from '../../api/key.ts'
import { pageMeta } from '../../api/page.ts'
import { names } from '../../api/paths.ts'
import { routes } from '../../api/routes.ts'
import { evidence, runStatus, verdict } from '../../api/run.ts'
import { searchType } from '../../api/search.ts'
import { specStatus } from '../../api/spec.ts'
import { duration, statsBy } from '../../api/stats.ts'
import { activityState, changes, failure, git, usage } from '../../api/work.ts'
import type { Schema } from './document.ts'
import { meanings } from './meaning.ts'

/**
 * A pair is an array of two, since tuples, which JSON Schema 2020-12 writes as `prefixItems`, are not understood by most
 * readers of OpenAPI.
 */
function override({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodTypes
  jsonSchema: z.core.JSONSchema.BaseSchema
}) {
  const { def } = zodSchema._zod
  if (def.type !== 'tuple') return
  delete jsonSchema.prefixItems
  Object.assign(jsonSchema, { items: {}, minItems: def.items.length, maxItems: def.items.length })
}

/** A schema of the table as JSON Schema; what has an id stands among the components. */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _, $defs: __, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override })
  return explained(amongComponents(json as Schema))
}

const amongComponents = <Value>(value: Value): Value =>
  JSON.parse(JSON.stringify(value).replaceAll('#/$defs/', '#/components/schemas/'))

/** Schemas that stand in many places under one name. */
const shared: Record<string, z.ZodType> = {
  RunStatus: runStatus,
  Verdict: verdict,
  Evidence: evidence,
  CheckResult: checkResult,
  SpecStatus: specStatus,
  Permission: permission,
  EventType: eventType,
  SearchType: searchType,
  ContentType: contentType,
  ActivityState: activityState,
  StatsBy: statsBy,
  Git: git,
  FileChanges: changes,
  Usage: usage,
  Failure: failure,
  PageMeta: pageMeta,
  Duration: duration,
}

/** The components that the table has: the schemas with an id, and those that many share. */
export function componentsOf(): Record<string, Schema> {
  const all: Record<string, Schema> = {}
  for (const name of names) {
    const { $defs } = z.toJSONSchema(routes[name].output, { unrepresentable: 'any', override })
    Object.assign(all, $defs)
  }
  const named = Object.entries(shared).map(([name, schema]) => [name, schemaOf(schema, 'output')])
  return { ...explainedAll(amongComponents(all)), ...Object.fromEntries(named) }
}

const explainedAll = (all: Record<string, Schema>) =>
  Object.fromEntries(Object.entries(all).map(([name, schema]) => [name, explained(schema)]))

/** The schema with a description of each field that has none. */
function explained(schema: Schema): Schema {
  return everywhere(schema, ({ properties, ...rest }) => {
    if (!properties) return rest
    const told = Object.entries(properties).map(([field, inner]) => {
      const description = inner.description ?? meanings[field]
      return [field, { ...inner, ...(description !== undefined && { description }) }]
    })
    return { ...rest, properties: Object.fromEntries(told) }
  })
}

/** Does something to a schema and to all that stand in it, the inner ones first. */
function everywhere(schema: Schema, change: (schema: Schema) => Schema): Schema {
  return change(inner(schema, (one) => everywhere(one, change)))
}

/** Does something to the schemas that stand in a schema. */
function inner(schema: Schema, inside: (schema: Schema) => Schema): Schema {
  const { properties, items, anyOf, additionalProperties, oneOf } = schema
  const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, inside(one)])),
    }),
    ...(isSchema(items) && { items: inside(items) }),
    ...(anyOf && { anyOf: anyOf.map(inside) }),
    ...(oneOf && { oneOf: oneOf.map(inside) }),
    ...(isSchema(additionalProperties) && { additionalProperties: inside(additionalProperties) }),
  }
}

/** How a schema is compared: a description does not make it another. */
const essenceOf = ({ description: _, ...schema }: Schema) => JSON.stringify(schema)

/** Puts references in place of the schemas that many share. */
export interface Naming {
  /** In all that stands in a schema, though not the schema itself. */
  inside(schema: Schema): Schema
  /** In a schema and all that stands in it. */
  whole(schema: Schema): Schema
}

export function createNaming(): Naming {
  const known = new Map(Object.entries(shared).map(([name, schema]) => [essenceOf(schemaOf(schema, 'output')), name]))
  const reference = (one: Schema) => {
    const name = known.get(essenceOf(one))
    if (name === undefined) return one
    const { description } = one
    return { $ref: `#/components/schemas/${name}`, ...(description !== undefined && { description }) }
  }
  const whole = (schema: Schema) => everywhere(schema, reference)
  return { whole, inside: (schema) => inner(schema, whole) }
}
