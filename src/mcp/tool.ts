import { z } from 'zod'
import type { CallOptions, Client } from '../client/client.ts'
import { explain, explained, invalidInput } from '../contract/explain.ts'
import type { Hold, Meta } from './hold.ts'

/** What a tool gets with each call. */
export interface ToolContext {
  client: Client
  hold: Hold
  /** The name that the client gives itself. */
  agent: string | undefined
  meta: Meta
  /** Options that make a write take effect once, even if the client retries the call. */
  once(step: string): CallOptions
}

export interface ToolResult {
  /** The result for the model. */
  text: string
  /** The result for a program. */
  data: Record<string, unknown>
}

/** What a tool may do. Clients show this before they let a model call it. */
interface Hints {
  readOnlyHint: boolean
  destructiveHint: boolean
  idempotentHint: boolean
  openWorldHint: boolean
}

export const reads: Hints = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false }
export const adds: Hints = { ...reads, readOnlyHint: false, idempotentHint: false }
export const changes: Hints = { ...adds, idempotentHint: true }

export interface Tool {
  name: string
  description: string
  /** The input as JSON Schema without its limits. Errors explain a limit when an input exceeds it. */
  inputSchema: Record<string, unknown>
  /** The result for a program as JSON Schema, open to fields of later versions. */
  outputSchema: Record<string, unknown>
  annotations: Hints
  /** Takes null and '' for a field that may be left out. Throws VALIDATION_ERROR for input that violates the schema, and the errors of the operations. */
  call(call: ToolContext, input: unknown): Promise<ToolResult>
}

interface Definition<Input extends z.ZodObject> extends Omit<Tool, 'inputSchema' | 'outputSchema' | 'call'> {
  input: Input
  /** The fields of the result for a program. */
  output: z.ZodObject
  run(call: ToolContext, input: z.output<Input>): Promise<ToolResult>
}

export function tool<Input extends z.ZodObject>({ input, output, run, ...rest }: Definition<Input>): Tool {
  const fields = new Set(Object.keys(input.shape))
  return {
    ...rest,
    inputSchema: brief(z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })) as Record<string, unknown>,
    outputSchema: brief(z.toJSONSchema(output, { io: 'input' })) as Record<string, unknown>,
    async call(call, given) {
      const parsed = input.safeParse(withoutEmpty(input, given ?? {}), explained)
      if (parsed.success) return run(call, parsed.data)
      throw invalidInput(parsed.error.issues.flatMap((issue) => explain(issue, fields)))
    },
  }
}

/**
 * The input without the optional fields that are null or ''. Clients that make a model give every field, as the strict mode
 * of OpenAI does, send these for what is left out.
 */
function withoutEmpty({ shape }: z.ZodObject, given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given
  const isLeftOut = (field: string, value: unknown) =>
    (value === null || value === '') && z.safeParse(shape[field] ?? z.never(), undefined).success
  return Object.fromEntries(Object.entries(given).filter(([field, value]) => !isLeftOut(field, value)))
}

/** Keywords to leave out: a model pays for each definition in every session. */
const left = new Set(['$schema', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems'])

/** Keywords that say nothing with an empty schema. */
const saysNothing = new Set(['properties', 'additionalProperties'])

function brief(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(brief)
  if (typeof schema !== 'object' || schema === null) return schema
  const isEmpty = (value: unknown) => JSON.stringify(value) === '{}'
  const kept = Object.entries(schema).filter(
    ([key, value]) => !left.has(key) && !(saysNothing.has(key) && isEmpty(value)),
  )
  return Object.fromEntries(kept.map(([key, value]) => [key, brief(value)]))
}
