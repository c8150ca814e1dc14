import { invalid } from '../../contract/error.ts'
import { knownCost } from './cost.ts'
import type { Run } from './fields.ts'
import { statuses, verdicts } from './state.ts'
import type { Duration, Tally } from './stats-fields.ts'

const dayMs = 24 * 3600_000
/** The default number of days, and the limit. */
const defaultDays = 30
const maxDays = 366

/** The durations are those of this many newest runs. */
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

/** Sums of the usage of runs. A run that reports nothing adds 0. */
type Used = typeof nothingUsed

/** A tally while runs are added to it. */
export type Sums = Omit<Tally, keyof Used> & Used

/** Sums as the API returns them. Tokens that no run reports are null rather than 0. */
export const reported = <Of extends Used>(sums: Of) => ({
  ...sums,
  inputTokens: sums.inputTokens || null,
  outputTokens: sums.outputTokens || null,
  cacheReadTokens: sums.cacheReadTokens || null,
  cacheWriteTokens: sums.cacheWriteTokens || null,
  costUsd: knownCost(sums.costUsd, sums.costed),
})

export const emptyTally = (): Sums => ({
  runs: 0,
  byStatus: zeros(statuses),
  byVerdict: zeros(verdicts),
  ...nothingUsed,
})

/** A row with the sums of runs of one status and verdict. Of costs or tokens that no run reports, the sum may be null. */
export interface SumRow extends Pick<Run, 'status' | 'verdict'> {
  runs: number
  input_tokens: number | null
  output_tokens: number | null
  cache_read_tokens: number | null
  cache_write_tokens: number | null
  cost_usd: number | null
  costed: number
}

/** Adds the runs of a row to a tally. */
export function addRow(tally: Sums, row: SumRow): void {
  tally.runs += row.runs
  tally.byStatus[row.status] += row.runs
  tally.byVerdict[row.verdict] += row.runs
  tally.inputTokens += row.input_tokens ?? 0
  tally.outputTokens += row.output_tokens ?? 0
  tally.cacheReadTokens += row.cache_read_tokens ?? 0
  tally.cacheWriteTokens += row.cache_write_tokens ?? 0
  tally.costUsd += row.cost_usd ?? 0
  tally.costed += row.costed
}

/** The runs to count: created after one time and before another, as in lists. */
interface Range {
  after: string
  before: string | undefined
  days: DayStart[]
}

/** A day such as `2026-01-31`, and the time at which it starts. */
interface DayStart {
  day: string
  start: string
}

/**
 * The requested range. The default ends now and starts with the 29th day before its end, in that time zone. Throws
 * VALIDATION_ERROR for a range that ends before it begins, for more than 366 days, and for an unknown time zone.
 */
export function rangeOf(
  createdAfter: string | undefined,
  createdBefore: string | undefined,
  now: string,
  timeZone: string,
): Range {
  const calendar = calendarOf(timeZone)
  const last = createdBefore === undefined ? Date.parse(now) : Date.parse(createdBefore) - 1
  const lastDay = calendar.dayOf(last)
  const first =
    createdAfter === undefined ? calendar.startOf(lastDay - (defaultDays - 1) * dayMs) : Date.parse(createdAfter) + 1
  // Between two neighbouring milliseconds is no moment, as in lists.
  if (first > last + 1) {
    throw invalid('createdAfter', `must be before ${createdBefore ?? `now, which is ${now}`}, not ${createdAfter}`)
  }
  const firstDay = calendar.dayOf(first)
  const count = Math.round((lastDay - firstDay) / dayMs) + 1
  if (count > maxDays) {
    throw invalid(
      'createdAfter',
      `leaves ${count} days to count, more than ${maxDays}: give a later time, or an earlier createdBefore`,
    )
  }
  const days = Array.from({ length: count }, (_, n) => firstDay + n * dayMs).map((day) => ({
    day: nameOf(day),
    start: new Date(calendar.startOf(day)).toISOString(),
  }))
  return { after: new Date(first - 1).toISOString(), before: createdBefore, days }
}

const nameOf = (day: number) => {
  const text = new Date(day).toISOString()
  return text.slice(0, text.indexOf('T'))
}

/** The days of a time zone, each as its midnight in UTC. Throws VALIDATION_ERROR for an unknown time zone. */
function calendarOf(timeZone: string) {
  const format = formatOf(timeZone)
  /** The offset from UTC at a time. */
  const offsetAt = (ms: number) => {
    const name = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign, hours, minutes, seconds = 0] = /([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name) ?? []
    if (sign === undefined) return 0
    return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
  }
  const dayOf = (ms: number) => Math.floor((ms + offsetAt(ms)) / dayMs) * dayMs
  /** If clocks change at midnight, a day starts at the first of two midnights, or after a skipped one. */
  const startOf = (day: number) => {
    const starts = [day - offsetAt(day - dayMs), day - offsetAt(day + dayMs)].sort((a, b) => a - b)
    return starts.find((start) => dayOf(start) === day) ?? day
  }
  return { dayOf, startOf }
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
  } catch {
    throw invalid(
      'timeZone',
      `must be the IANA name of a time zone, like Europe/Berlin, or an offset, like +02:00, not '${timeZone}'`,
    )
  }
}

/** The median and the 90th percentile of durations (nearest rank). */
export function durationOf(milliseconds: number[]): Duration {
  const sorted = milliseconds.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? null
  return { runs: sorted.length, medianMs: at(0.5), p90Ms: at(0.9) }
}
