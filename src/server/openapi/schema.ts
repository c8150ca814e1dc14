import { z } from 'zod'
import { statusOf } from '../../contract/error.ts'
import { contentType, order, pageMeta } from '../../contract/field.ts'
import { names } from '../../contract/paths.ts'
import { searchType, suggested } from '../../find/fields.ts'
import { eventType } from '../../log/fields.ts'
import { featureInput } from '../../nouns/feature/fields.ts'
import { permission } from '../../nouns/key/fields.ts'
import { retentionInput } from '../../nouns/project/fields.ts'
import { checkResult, evidence, pipeline, recorder } from '../../nouns/run/check/fields.ts'
import { counts, runStatus, verdict } from '../../nouns/run/fields.ts'
import { lease } from '../../nouns/run/lease-fields.ts'
import { link, where } from '../../nouns/run/part-fields.ts'
import { statuses, verdicts } from '../../nouns/run/state.ts'
import { duration, statsBy, tally } from '../../nouns/run/stats-fields.ts'
import { command, file, planItem, reportedCommand, subagent, toolUse } from '../../nouns/run/turn-fields.ts'
import { activityInput, activityState, changes, failure, git, usage } from '../../nouns/run/work-fields.ts'
import { specStatus } from '../../nouns/spec/fields.ts'
import { disabledReason } from '../../nouns/webhook/fields.ts'
import { meanings } from '../../operations/meaning.ts'
import { routes } from '../../operations/routes.ts'
import { erasedCounts } from '../../removal/erase-routes.ts'
import { forgottenRuns } from '../../removal/forget-routes.ts'
import type { OpenApiSchema } from './document.ts'

/** One problem of an input. */
export const issue = z.object({
  path: z.string().describe('The wrong field: `git.commit`'),
  message: z.string().describe('What would be right'),
})

/** The schemas of responses that have a name of their own, so that the types of generated clients do. Inner ones first. */
const outputs: Record<string, z.ZodType> = {
  RunStatus: runStatus,
  Verdict: verdict,
  Evidence: evidence,
  CheckResult: checkResult,
  Recorder: recorder,
  Pipeline: pipeline,
  SpecStatus: specStatus,
  Permission: permission,
  EventType: eventType,
  ErrorCode: z.enum(Object.keys(statusOf)),
  SearchType: searchType,
  Suggested: suggested,
  ContentType: contentType,
  ActivityState: activityState,
  Order: order,
  DisabledReason: disabledReason,
  StatsBy: statsBy,
  Where: where,
  Link: link,
  Git: git,
  FileChanges: changes,
  Usage: usage,
  Failure: failure,
  PageMeta: pageMeta,
  Lease: lease,
  Duration: duration,
  StatusCounts: counts(statuses),
  VerdictCounts: counts(verdicts),
  Tally: tally,
  ErasedCounts: erasedCounts,
  ForgottenRuns: forgottenRuns,
  ToolUse: toolUse,
  ChangedFile: file,
  TurnCommand: reportedCommand,
  PlanItem: planItem,
  Subagent: subagent,
  Issue: issue,
}

/** The same of requests, which are closed, and so are others than those of responses. */
const inputs: Record<string, z.ZodType> = {
  ActivityInput: activityInput,
  FeatureInput: featureInput,
  RetentionInput: retentionInput,
  WhereInput: where,
  LinkInput: link,
  GitInput: git,
  FileChangesInput: changes,
  UsageInput: usage,
  FailureInput: failure,
  ToolUseInput: toolUse,
  ChangedFileInput: file,
  TurnCommandInput: command,
  PlanItemInput: planItem,
  SubagentInput: subagent,
}

type Io = 'input' | 'output'

/**
 * What a response contains stays open, since later versions add fields. A body is closed: the server refuses unknown fields.
 *
 * Describes what most OpenAPI tools do not understand in words that they do: a pair is an array of two items rather
 * than `prefixItems`, and a time has a format, but no pattern.
 */
const overrideIn = (io: Io) => (it: { zodSchema: z.core.$ZodTypes; jsonSchema: z.core.JSONSchema.BaseSchema }) => {
  const { zodSchema, jsonSchema } = it
  const { def } = zodSchema._zod
  if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
  if (jsonSchema.format === 'date-time') {
    delete jsonSchema.pattern
    Object.assign(jsonSchema, timeExample)
  }
  if (def.type !== 'tuple') return
  delete jsonSchema.prefixItems
  Object.assign(jsonSchema, { items: {}, minItems: def.items.length, maxItems: def.items.length })
}

const timeExample = { examples: ['2026-01-31T09:30:00.000Z'] }

/** A schema of the table as JSON Schema. Schemas with an id become components. */
export function schemaOf(schema: z.ZodType, io: Io): OpenApiSchema {
  const {
    $schema: _,
    $defs: __,
    ...json
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: overrideIn(io) })
  return explained(amongComponents(json as OpenApiSchema))
}

const amongComponents = <Value>(value: Value): Value =>
  JSON.parse(JSON.stringify(value).replaceAll('#/$defs/', '#/components/schemas/'))

/** The named schemas, inner ones first. */
const named = [
  ...Object.entries(outputs).map(([name, schema]) => [name, schemaOf(schema, 'output')] as const),
  ...Object.entries(inputs).map(([name, schema]) => [name, schemaOf(schema, 'input')] as const),
]

/** The components of the table: the schemas with an id, and the named ones. */
export function componentsOf(): Record<string, OpenApiSchema> {
  const all: Record<string, OpenApiSchema> = {}
  for (const name of names) {
    const { $defs } = z.toJSONSchema(routes[name].output, { unrepresentable: 'any', override: overrideIn('output') })
    Object.assign(all, $defs)
  }
  return { ...explainedAll(amongComponents(all)), ...Object.fromEntries(named) }
}

const explainedAll = (all: Record<string, OpenApiSchema>) =>
  Object.fromEntries(Object.entries(all).map(([name, schema]) => [name, explained(schema)]))

/** Adds a description to each field without one. */
function explained(schema: OpenApiSchema): OpenApiSchema {
  return everywhere(schema, ({ properties, ...rest }) => {
    if (!properties) return rest
    const described = Object.entries(properties).map(([field, inner]) => {
      const description = inner.description ?? meanings[field]
      return [field, { ...inner, ...(description !== undefined && { description }) }]
    })
    return { ...rest, properties: Object.fromEntries(described) }
  })
}

/** Applies a change to a schema and all schemas in it, innermost first. */
function everywhere(schema: OpenApiSchema, change: (schema: OpenApiSchema) => OpenApiSchema): OpenApiSchema {
  return change(inner(schema, (one) => everywhere(one, change)))
}

/** Applies a change to the schemas directly in a schema. */
function inner(schema: OpenApiSchema, inside: (schema: OpenApiSchema) => OpenApiSchema): OpenApiSchema {
  const { properties, items, anyOf, additionalProperties, oneOf } = schema
  const isSchema = (value: unknown): value is OpenApiSchema => typeof value === 'object' && value !== null
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

/** The form in which schemas are compared. Descriptions and defaults do not count. */
const essenceOf = ({ description: _, default: __, ...schema }: OpenApiSchema) => JSON.stringify(schema)

/** Replaces named schemas by references. */
export interface SchemaNaming {
  /** Replaces in everything inside a schema, but not the schema itself. */
  inside(schema: OpenApiSchema): OpenApiSchema
  /** Replaces in a schema and everything inside it. */
  whole(schema: OpenApiSchema): OpenApiSchema
}

export function createNaming(): SchemaNaming {
  const known = new Map<string, string>()
  const reference = (one: OpenApiSchema) => {
    const name = known.get(essenceOf(one))
    if (name === undefined) return one
    const { description, default: value } = one
    return {
      $ref: `#/components/schemas/${name}`,
      ...(description !== undefined && { description }),
      ...(value !== undefined && { default: value }),
    }
  }
  const whole = (schema: OpenApiSchema) => everywhere(schema, reference)
  const inside = (schema: OpenApiSchema) => inner(schema, whole)
  // Named schemas may contain earlier ones.
  for (const [name, schema] of named) known.set(essenceOf(inside(schema)), name)
  return { whole, inside }
}
