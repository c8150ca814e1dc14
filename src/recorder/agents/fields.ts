import type { SeenFailure } from './seen.ts'

/** The fields of an untrusted JSON object. */
export type JsonFields = Record<string, unknown>

/** The fields of an object; empty for anything else. */
export const fieldsOf = (value: unknown): JsonFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}

/** How many levels a document may have. Reading or hashing many more would overflow the stack. */
const deepest = 500

/** Whether JSON is nested more deeply than any agent does it. */
export const isTooDeep = (value: unknown, levels = deepest): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((one) => isTooDeep(one, levels - 1)))

/** The value of JSON from an agent; undefined if it is none, or nested too deeply. */
export function valueIn(json: string): unknown {
  try {
    const value: unknown = JSON.parse(json)
    return isTooDeep(value) ? undefined : value
  } catch {
    return undefined
  }
}

/** The fields of JSON from an agent; undefined if it is none, or nested too deeply. */
export function fieldsIn(json: string): JsonFields | undefined {
  const value = valueIn(json)
  return value === undefined ? undefined : fieldsOf(value)
}

/** The objects in a list; empty for anything else. */
export const listOf = (value: unknown): JsonFields[] => (Array.isArray(value) ? value.map(fieldsOf) : [])

/** A non-empty text, cut to that many characters, in a form that the ledger accepts. */
export const textOf = (value: unknown, length = 1_000): string | undefined =>
  typeof value === 'string' && value.trim() !== ''
    ? startOf(value, length).replaceAll('\0', '').toWellFormed()
    : undefined

/** How much of a divided word to leave out, in characters. Secrets without spaces are rarely longer. */
const longestWord = 2_000

/**
 * The first characters of a text, at most that many. A word that the cut would divide is left out: texts are masked
 * later, and masking does not recognise half a secret. A single word is cut, because it says more than nothing.
 */
export function startOf(text: string, length: number): string {
  let end = Math.min(text.length, length)
  if (isInWord(text, end)) while (end > length - longestWord && isInWord(text, end - 1)) end--
  const start = text.slice(0, end)
  return start.trim() === '' ? text.slice(0, length) : start
}

/** Whether the character at that position is ASCII and no space. */
const isInWord = (text: string, at: number) => text.charCodeAt(at) > 32 && text.charCodeAt(at) < 127

/** The largest count that a ledger takes. */
export const mostCount = 1e12

/** A positive integer that a ledger takes; 0 for anything else. */
export const countOf = (value: unknown): number => numberOf(value) ?? 0

/** A non-negative integer that a ledger takes; undefined for anything else. */
export const numberOf = (value: unknown): number | undefined =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= mostCount ? Number(value) : undefined

/** The years 0000 to 9999 of UTC, which a ledger takes, in milliseconds since 1970. */
const [firstMs, lastMs] = [Date.parse('0000-01-01T00:00:00.000Z'), Date.parse('9999-12-31T23:59:59.999Z')]

/** The time of an ISO date in milliseconds since 1970; undefined for anything else, and for one that no ledger takes. */
export const timeOf = (value: unknown): number | undefined => {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return ms >= firstMs && ms <= lastMs ? ms : undefined
}

/** The object without undefined fields. */
export const defined = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T

/** The most characters to keep of a prompt and of an answer. */
export const promptLength = 20_000
export const answerLength = 16_000

/** The most characters to read of a command line. What is cut there is longer than any line whose checks are read. */
export const lineLength = 70_000

/** How many items of a plan a turn takes. */
export const mostItems = 100

/** A failure as an agent reports it: its code in capitals, and the first non-empty message. */
export function failureOf(code: unknown, ...words: unknown[]): SeenFailure {
  const name = textOf(code, 64)
    ?.toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_|_$/g, '')
  const message = words.map((one) => textOf(one)).find((one) => one !== undefined)
  return { code: name || 'AGENT_FAILED', message: message ?? textOf(code) ?? 'The agent gives no details.' }
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
