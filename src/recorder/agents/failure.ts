import { textOf } from './fields.ts'
import type { Failure } from './seen.ts'

/** A failure as an agent reports it: its code in capitals, and the first non-empty message. */
export function failureOf(code: unknown, ...words: unknown[]): Failure {
  const name = textOf(code, 64)
    ?.toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_|_$/g, '')
  const message = words.map((one) => textOf(one)).find((one) => one !== undefined)
  return { code: name || 'AGENT_FAILED', message: message ?? textOf(code) ?? 'The agent says no more of it.' }
}
