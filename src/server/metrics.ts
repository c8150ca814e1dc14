import type { Lag } from '../operations/health.ts'
import { linesOf, type Metric } from './exposition.ts'
import { processMetrics } from './watched.ts'

/** Upper bounds in seconds of the histogram's buckets. */
const bounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/** The requests to one operation. A histogram for each of its statuses would be ten times as many lines. */
interface Series {
  count: number
  seconds: number
  buckets: number[]
  statuses: Map<number, number>
}

export type Metrics = ReturnType<typeof createMetrics>

/** Counts requests by operation and status, times them by operation, and prints them as Prometheus text (exposition format 0.0.4). */
export function createMetrics() {
  const series = new Map<string, Series>()
  let inProgress = 0
  let streams = 0

  return {
    observe(operation: string, status: number, ms: number): void {
      inProgress--
      let one = series.get(operation)
      if (!one) {
        one = { count: 0, seconds: 0, buckets: bounds.map(() => 0), statuses: new Map() }
        series.set(operation, one)
      }
      const seconds = ms / 1000
      one.count++
      one.statuses.set(status, (one.statuses.get(status) ?? 0) + 1)
      one.seconds += seconds
      const bucket = bounds.findIndex((bound) => seconds <= bound)
      if (bucket >= 0) one.buckets[bucket] = (one.buckets[bucket] ?? 0) + 1
    },

    /** Counts a request until it is observed. */
    begin(): void {
      inProgress++
    },

    /** Counts an open stream until the function that this returns is called. */
    openStream(): () => void {
      streams++
      return () => {
        streams--
      }
    },

    /** Prints what was observed, the lags of followers, and what is known of the ledger. */
    print(lags: readonly Lag[], ledger: Metric[]): string {
      return [
        '# HELP conduct_request_duration_seconds Time from a request to its response.',
        '# TYPE conduct_request_duration_seconds histogram',
        ...[...series].flatMap(histogramOf),
        ...linesOf([requestsOf(series), lagOf(lags), ...ledger, ...processMetrics(streams, inProgress)]),
        '',
      ].join('\n')
    },
  }
}

const requestsOf = (series: ReadonlyMap<string, Series>): Metric => ({
  name: 'conduct_requests_total',
  type: 'counter',
  help: 'Requests that have a response.',
  samples: [...series].flatMap(([operation, { statuses }]) =>
    [...statuses].map(([status, count]): Metric['samples'][number] => [count, { operation, status: String(status) }]),
  ),
})

const lagOf = (lags: readonly Lag[]): Metric => ({
  name: 'conduct_follower_lag_events',
  type: 'gauge',
  help: 'Events of the log that a follower has not processed yet.',
  samples: lags.map(({ follower, events }) => [Number(events), { follower }]),
})

function histogramOf([operation, { count, seconds, buckets }]: [string, Series]): string[] {
  const name = 'conduct_request_duration_seconds'
  const labels = `operation="${operation}"`
  let below = 0
  const lines = bounds.map((bound, index) => {
    below += buckets[index] ?? 0
    return `${name}_bucket{${labels},le="${bound}"} ${below}`
  })
  return [
    ...lines,
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${seconds}`,
    `${name}_count{${labels}} ${count}`,
  ]
}
