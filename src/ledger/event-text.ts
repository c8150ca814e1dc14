/**
 * The fields of an event whose strings are ids, times, hashes or words of a fixed list. Every other string is a text,
 * also in fields that are still to come. The leaves of the seal rest on this list: a field that events have had may
 * never move into it or out of it.
 */
const facts: ReadonlySet<string> = new Set([
  ...['runId', 'specId', 'retryOf', 'status', 'result', 'verdict', 'evidence', 'contentType', 'costSource', 'code'],
  ...['startedAt', 'endedAt', 'at', 'leaseExpiresAt', 'expiresAt', 'revokedAt', 'permissions'],
  ...['tree', 'commits', 'sha256', 'appended'],
])

const hashForm = /^[0-9a-f]{64}$/

/** What stands in an event in the place of a text: the hash of the text and its salt. */
export interface Erased {
  erased: string
}

export function isErased(value: unknown): value is Erased {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return false
  const { erased } = value as { erased?: unknown }
  return typeof erased === 'string' && hashForm.test(erased)
}

/** Gives what takes the place of a text. `field` is the name under which the text stands; '' for the value of a label. */
type Replace = (text: string, field: string) => unknown

/** The changes of an event with something else in the place of each text, in the order in which JSON writes them. */
export function mapTexts<Value>(changes: Value, replace: Replace, ofErased?: (erased: Erased) => unknown): Value {
  return mapped(changes, undefined, replace, ofErased) as Value
}

/** How many texts the changes of an event have that are not erased. */
export function countTexts(changes: unknown): number {
  let count = 0
  mapTexts(changes, () => ++count)
  return count
}

function mapped(
  value: unknown,
  field: string | undefined,
  replace: Replace,
  ofErased: (erased: Erased) => unknown = (erased) => erased,
): unknown {
  if (typeof value === 'string') return field !== undefined && facts.has(field) ? value : replace(value, field ?? '')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one) => mapped(one, field, replace, ofErased))
  // A label may have any name, also `erased` or that of a fact.
  const isLabels = field === 'labels'
  if (!isLabels && isErased(value)) return ofErased(value)
  const parts = Object.entries(value).map(([name, part]) => [
    name,
    mapped(part, isLabels ? '' : name, replace, ofErased),
  ])
  return Object.fromEntries(parts)
}
