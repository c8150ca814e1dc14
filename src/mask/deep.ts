import { mask } from './mask.ts'

/** Ids of git objects, times, and values without a letter or digit to hide. */
const plain = /^(?:[0-9a-f]{40}|[0-9a-f]{64}|\d{4}-\d\d-\d\dT[\d:.]+Z|.{0,5})$/s

/**
 * A JSON value whose texts have no secrets. Short lines are masked together, which costs less than one by one; an empty
 * line keeps them apart.
 */
export async function maskDeep<T>(value: T): Promise<T> {
  const lines = new Set<string>()
  const texts = new Set<string>()
  visit(value, (text) => (text.includes('\n') ? texts : lines).add(text))
  const masked = new Map<string, string>()
  const all = [...lines]
  const together = (await mask(all.join('\n\n'))).split('\n\n')
  // A secret that seems to span two of them is in neither, or in one alone.
  const isApart = together.length === all.length
  for (const [index, line] of all.entries()) masked.set(line, isApart ? (together[index] as string) : await mask(line))
  for (const text of texts) masked.set(text, await mask(text))
  return replaced(value, masked) as T
}

function visit(value: unknown, found: (text: string) => void): void {
  if (typeof value === 'string') {
    if (!plain.test(value)) found(value)
  } else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) visit(one, found)
}

function replaced(value: unknown, masked: Map<string, string>): unknown {
  if (typeof value === 'string') return masked.get(value) ?? value
  if (Array.isArray(value)) return value.map((one) => replaced(one, masked))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replaced(one, masked)]))
}
