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
 * Describes a pair as an array of two items. JSON Schema 2020-12 has `prefixItems` for tuples, but most OpenAPI tools
 * do not understand it.
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

/** A schema of the table as JSON Schema. Schemas with an id become components. */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _, $defs: __, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override })
  return explained(amongComponents(json as Schema))
}

const amongComponents = <Value>(value: Value): Value =>
  JSON.parse(JSON.stringify(value).replaceAll('#/$defs/', '#/components/schemas/'))

/** Schemas that several places share under one name. */
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

/** The components of the table: the schemas with an id, and the shared ones. */
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

/** Adds a description to each field without one. */
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

/** Applies a change to a schema and all schemas in it, innermost first. */
function everywhere(schema: Schema, change: (schema: Schema) => Schema): Schema {
  return change(inner(schema, (one) => everywhere(one, change)))
}

/** Applies a change to the schemas directly in a schema. */
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

/** The form in which schemas are compared. Descriptions do not count. */
const essenceOf = ({ description: _, ...schema }: Schema) => JSON.stringify(schema)

/** Replaces shared schemas by references. */
export interface Naming {
  /** Replaces in everything inside a schema, but not the schema itself. */
  inside(schema: Schema): Schema
  /** Replaces in a schema and everything inside it. */
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
