/** The fields of an untrusted JSON object. */
export type Fields = Record<string, unknown>

/** The fields of an object; empty for anything else. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}

/** How many levels a document may have. Reading or hashing many more would overflow the stack. */
const deepest = 500

/** Whether JSON is nested more deeply than any agent does it. */
export const isTooDeep = (value: unknown, levels = deepest): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((one) => isTooDeep(one, levels - 1)))

/** The objects in a list; empty for anything else. */
export const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fieldsOf) : [])

/** A non-empty text, cut to that many characters, in a form that the ledger accepts. */
export const textOf = (value: unknown, length = 1_000): string | undefined =>
  typeof value === 'string' && value.trim() !== ''
    ? value.slice(0, length).replaceAll('\0', '').toWellFormed()
    : undefined

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

/** The most characters to keep of a prompt, of an answer, and of a command. */
export const promptLength = 20_000
export const answerLength = 16_000
export const commandLength = 2_000
