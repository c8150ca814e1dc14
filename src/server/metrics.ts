import { performance } from 'node:perf_hooks'
import type { BackupState } from '../engine/sqlite/backups.ts'
import type { HealthFacts, Lag } from '../operations/health.ts'
import { version } from '../version.ts'

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

/** How many runs have ended since the server began to count. */
export interface Ends {
  completed: number
  failed: number
  leaseLost: number
}

/** Metrics of a ledger. If the database does not answer, `facts` is undefined and only the rest is reported. */
export function ledgerMetrics(
  facts: HealthFacts | undefined,
  ends: Ends,
  backups: BackupState | undefined,
  isDoubted: boolean,
): Metric[] {
  return [
    metric('conduct_clock_doubted', 'gauge', '1: the clock may be wrong.', Number(isDoubted)),
    metric('conduct_runs_live', 'gauge', 'Runs in progress, 10000 at most.', facts?.liveRuns),
    metric(
      'conduct_runs_lapsed',
      'gauge',
      'Live runs whose lease has expired and that no server has failed yet, 10000 at most.',
      facts?.lapsedLeases,
    ),
    {
      name: 'conduct_runs_ended_total',
      type: 'counter',
      help: 'Runs of the whole ledger that ended since this server was first scraped.',
      samples: [
        [ends.completed, { status: 'completed' }],
        [ends.failed, { status: 'failed' }],
      ],
    },
    metric(
      'conduct_runs_lease_lost_total',
      'counter',
      'Runs of the whole ledger that failed because their lease expired, since this server was first scraped.',
      ends.leaseLost,
    ),
    metric('conduct_log_events', 'gauge', 'Events ever recorded in the log, dropped ones included.', facts?.newestSeq),
    metric('conduct_log_last_event_timestamp_seconds', 'gauge', 'Time of the newest event.', seconds(facts?.newestAt)),
    metric(
      'conduct_index_waiting_entries',
      'gauge',
      'Entries of the search index that are out of date, 10000 at most.',
      facts?.waitingEntries,
    ),
    metric('conduct_database_size_bytes', 'gauge', 'Size of the database.', facts?.databaseBytes),
    metric('conduct_database_wal_size_bytes', 'gauge', 'Size of the write-ahead log of SQLite.', facts?.file?.walBytes),
    metric('conduct_database_disk_free_bytes', 'gauge', 'Free space on the disk of SQLite.', facts?.file?.freeBytes),
    ...backupMetrics(backups),
  ]
}

function backupMetrics(backups: BackupState | undefined): Metric[] {
  const at = backups?.newest?.at
  return [
    metric('conduct_backups', 'gauge', 'Number of scheduled backups.', backups?.count),
    // A time of 0 makes an alert on the age fire before the first backup, too.
    metric(
      'conduct_backup_last_success_timestamp_seconds',
      'gauge',
      'Time of the newest scheduled backup, 0 before the first.',
      backups && (at ?? 0) / 1000,
    ),
    metric('conduct_backup_last_size_bytes', 'gauge', 'Size of the newest scheduled backup.', backups?.newest?.bytes),
    metric(
      'conduct_backup_overdue',
      'gauge',
      '1: the newest scheduled backup is older than the schedule allows.',
      backups && Number(backups.isOverdue),
    ),
  ]
}

/** Metrics of the process. */
function processMetrics(openStreams: number, inProgress: number): Metric[] {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const { active } = performance.eventLoopUtilization()
  return [
    {
      name: 'conduct_build_info',
      type: 'gauge',
      help: 'Always 1; the labels say what runs.',
      samples: [[1, { version, node: process.versions.node, sqlite: process.versions.sqlite ?? '' }]],
    },
    metric('conduct_requests_in_progress', 'gauge', 'Requests in progress.', inProgress),
    metric('conduct_event_streams', 'gauge', 'Open streams of events.', openStreams),
    metric('process_resident_memory_bytes', 'gauge', 'Resident memory.', rss),
    metric('process_cpu_seconds_total', 'counter', 'Processor time.', (user + system) / 1e6),
    metric('process_start_time_seconds', 'gauge', 'Time of the start.', performance.timeOrigin / 1000),
    metric('process_uptime_seconds', 'gauge', 'Time since the start.', Math.round(process.uptime())),
    metric('nodejs_heap_size_used_bytes', 'gauge', 'JavaScript heap in use.', heapUsed),
    metric('nodejs_eventloop_active_seconds_total', 'counter', 'Time in which the event loop was busy.', active / 1000),
  ]
}

const seconds = (iso: string | null | undefined) => (iso ? Date.parse(iso) / 1000 : undefined)

/** A metric with its samples, each a value with labels. */
interface Metric {
  name: string
  type: 'gauge' | 'counter'
  help: string
  samples: [value: number, labels?: Record<string, string>][]
}

/** A metric without labels; it has no sample if its value is unknown. */
const metric = (name: string, type: Metric['type'], help: string, value: number | undefined): Metric => ({
  name,
  type,
  help,
  samples: value === undefined ? [] : [[value]],
})

/** Prometheus text of metrics (exposition format 0.0.4); metrics without samples are left out. */
const linesOf = (metrics: Metric[]): string[] =>
  metrics
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, type, help, samples }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(([value, labels = {}]) => `${name}${labelsOf(labels)} ${value}`),
    ])

function labelsOf(labels: Record<string, string>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&')}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}
