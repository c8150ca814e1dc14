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

/**
 * The exit code that an agent writes in a line below the output of a command, `Exit Code: 3`. The last such line counts,
 * because the output may contain others. `rest` matches all that the agent writes from there on.
 */
export function exitCodeBelow(text: string, rest: RegExp): number | undefined {
  const end = text.slice(-longest)
  const at = end.lastIndexOf('\nExit Code: ')
  const code = at < 0 ? undefined : rest.exec(end.slice(at))?.[1]
  return code === undefined ? undefined : Number(code)
}

/** The most characters that an agent writes below an output. */
const longest = 4_000
