import { InvalidArgumentError } from 'commander'

const dayMs = 86_400_000
const units: Record<string, number> = { h: dayMs / 24, d: dayMs, w: 7 * dayMs }

/** Parses a time into milliseconds since 1970: a date, a date with a time, or a number of hours, days or weeks ago. */
export function readSince(text: string): number {
  const [, count, unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? []
  if (count !== undefined) return Date.now() - Number(count) * (units[unit] as number)
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at))
    throw new InvalidArgumentError(`It must be like 2026-01-31, 2026-01-31T09:30:00Z or 30d, not '${text}'.`)
  return at
}
