import { invalid } from '../api/error.ts'
import type { Duration, Tally } from '../api/stats.ts'
import { statuses, verdicts } from './run.ts'

const dayMs = 24 * 3600_000
/** The days that are told where none are asked for, and the most that may be. */
const defaultDays = 30
const maxDays = 366

/** Of how many of the newest runs the duration is told. */
export const timedRuns = 10_000

export const zeros = <Key extends string>(keys: readonly Key[]) =>
  Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>

export const nothingUsed = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd: 0,
  costed: 0,
}

export const emptyTally = (): Tally => ({
  runs: 0,
  byStatus: zeros(statuses),
  byVerdict: zeros(verdicts),
  ...nothingUsed,
})

/** Which runs are counted: those made after the one moment and before the other, as lists have it. */
export interface Range {
  after: string
  before: string | undefined
  /** The days in it, as `2026-01-31`. */
  days: string[]
}

/**
 * The range that is asked for: up to now, and from the beginning of the 29th day before its end, where no other moments are
 * given. Throws VALIDATION_ERROR for one that holds no moment, or more than 366 days.
 */
export function rangeOf(createdAfter: string | undefined, createdBefore: string | undefined, now: string): Range {
  const last = createdBefore === undefined ? Date.parse(now) : Date.parse(createdBefore) - 1
  const first = createdAfter === undefined ? startOf(last) - (defaultDays - 1) * dayMs : Date.parse(createdAfter) + 1
  if (first > last) {
    throw invalid('createdAfter', `must be before ${createdBefore ?? `now, which is ${now}`}, not ${createdAfter}`)
  }
  const count = Math.round((startOf(last) - startOf(first)) / dayMs) + 1
  if (count > maxDays) {
    throw invalid(
      'createdAfter',
      `leaves ${count} days to count, and ${maxDays} are the most: give a later moment, or an earlier createdBefore`,
    )
  }
  const days = Array.from({ length: count }, (_, n) => dayOf(new Date(startOf(first) + n * dayMs).toISOString()))
  return { after: new Date(first - 1).toISOString(), before: createdBefore, days }
}

const startOf = (ms: number) => Math.floor(ms / dayMs) * dayMs

const dayOf = (at: string) => at.slice(0, at.indexOf('T'))

/** The median and the 90th percentile, each the duration of a run (nearest rank). */
export function durationOf(milliseconds: number[]): Duration {
  const sorted = milliseconds.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? null
  return { runs: sorted.length, medianMs: at(0.5), p90Ms: at(0.9) }
}
