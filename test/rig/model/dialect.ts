import { randomUUID } from 'node:crypto'
import { fieldsOf, type JsonFields } from '../../../src/recorder/agents/fields.ts'
import type { ApiFailure, Tokens } from './script.ts'
import type { Tool } from './tools.ts'

/** An API that agents use to call their model. */
export interface Dialect {
  /** Whether a request to that path calls the model. */
  serves(path: string): boolean
  /** Everything in the conversation that the user said. */
  asked(body: JsonFields): string
  answer(answer: Answer, request: Request): Message
  failure(failure: ApiFailure): unknown
}

interface Request {
  path: string
  body: JsonFields
}

export interface Answer {
  text: string | undefined
  calls: { tool: Tool; input: string | JsonFields }[]
  tokens: Tokens
}

/** The response: one JSON value, or events of a stream with an optional last line. */
export type Message = { json: unknown } | { events: { name?: string; data: unknown }[]; last?: string }

export const newId = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`

/** The texts of a message, which is a string or a list of parts. */
export function textIn(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((part) => fieldsOf(part))
    .map(({ text, encrypted_content }) => text ?? encrypted_content ?? '')
    .join('\n')
}

/** All input tokens. OpenAI and Google include cached tokens in their count of input. */
export const allInput = ({ input, cacheRead, cacheWrite }: Tokens) => input + cacheRead + cacheWrite
