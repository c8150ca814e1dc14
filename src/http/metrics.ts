import type { Lag } from '../store/log/lag.ts'

/** Upper bounds in seconds of the histogram's buckets. */
const bounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

interface Series {
  operation: string
  status: number
  count: number
  seconds: number
  buckets: number[]
}

export type Metrics = ReturnType<typeof createMetrics>

/** Counts requests by operation and status, and prints them as Prometheus text (exposition format 0.0.4). */
export function createMetrics() {
  const series = new Map<string, Series>()

  return {
    observe(operation: string, status: number, ms: number): void {
      const id = `${operation} ${status}`
      let one = series.get(id)
      if (!one) {
        one = { operation, status, count: 0, seconds: 0, buckets: bounds.map(() => 0) }
        series.set(id, one)
      }
      const seconds = ms / 1000
      one.count++
      one.seconds += seconds
      const bucket = bounds.findIndex((bound) => seconds <= bound)
      if (bucket >= 0) one.buckets[bucket] = (one.buckets[bucket] ?? 0) + 1
    },

    /** Prints what was observed, and the lags of followers. */
    print(lags: readonly Lag[]): string {
      const { rss, heapUsed } = process.memoryUsage()
      return [
        '# HELP conduct_request_duration_seconds Time from a request to its answer.',
        '# TYPE conduct_request_duration_seconds histogram',
        ...[...series.values()].flatMap(linesOf),
        ...lagLines(lags),
        '# HELP process_resident_memory_bytes Resident memory.',
        '# TYPE process_resident_memory_bytes gauge',
        `process_resident_memory_bytes ${rss}`,
        '# HELP nodejs_heap_size_used_bytes JavaScript heap in use.',
        '# TYPE nodejs_heap_size_used_bytes gauge',
        `nodejs_heap_size_used_bytes ${heapUsed}`,
        '# HELP process_uptime_seconds Time since the start.',
        '# TYPE process_uptime_seconds gauge',
        `process_uptime_seconds ${Math.round(process.uptime())}`,
        '',
      ].join('\n')
    },
  }
}

function lagLines(lags: readonly Lag[]): string[] {
  if (lags.length === 0) return []
  return [
    '# HELP conduct_follower_lag_events Events of the log that a follower has not read yet.',
    '# TYPE conduct_follower_lag_events gauge',
    ...lags.map(({ follower, events }) => `conduct_follower_lag_events{follower="${follower}"} ${events}`),
  ]
}

function linesOf({ operation, status, count, seconds, buckets }: Series): string[] {
  const name = 'conduct_request_duration_seconds'
  const labels = `operation="${operation}",status="${status}"`
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
