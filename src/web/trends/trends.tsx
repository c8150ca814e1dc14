import { href, type Route } from '../app/router.ts'
import { timeZoneHere } from '../data/locale.ts'
import { useRead } from '../data/read.ts'
import { dayOf } from '../data/run-filter.ts'
import { client } from '../data/server.ts'
import { serverNow } from '../data/server-time.ts'
import { costOf } from '../ui/cost.ts'
import { CsvButton } from '../ui/csv-button.tsx'
import { Head } from '../ui/head.tsx'
import { Problem } from '../ui/problem.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { statusLooks, verdictLooks } from '../ui/status.tsx'
import { BreakdownTable } from './breakdown.tsx'
import { Chart } from './chart.tsx'
import { Figures } from './figures.tsx'
import { type Breakdown, breakdowns, type Stats } from './measures.ts'
import type { Series } from './series-table.tsx'

const periods = [7, 14, 30, 90]

/** The totals of the runs of the last days. The number of days and the breakdown are part of the address. */
export default function Trends({ route }: { route: Route }) {
  const asked = Number(route.query.get('days'))
  const days = periods.includes(asked) ? asked : 30
  const askedBy = route.query.get('by') ?? ''
  const by = Object.hasOwn(breakdowns, askedBy) ? (askedBy as Breakdown) : 'agent'
  const project = route.query.has('project') ? route.query.getAll('project') : undefined
  const timeZone = timeZoneHere()
  const { data, error, reload } = useRead(
    JSON.stringify([days, by, project]),
    (signal) => client.stats({ createdAfter: justBefore(firstOf(days)), by, project, timeZone }, { signal }),
    { touches: ({ type }) => type.startsWith('run.'), restMs: 5000 },
  )
  return (
    <div class="trends">
      <Head title="Trends" />
      <div class="filters">
        <Periods route={route} days={days} />
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {!data && !error && <Skeleton rows={4} of="charts" />}
      {data?.total.runs === 0 && <p class="empty">No runs in the last {days} days.</p>}
      {data && data.total.runs > 0 && (
        <>
          <Figures stats={data} days={days} />
          <Charts stats={data} timeZone={timeZone} />
          <section aria-labelledby="by">
            <h2 id="by">Compare</h2>
            <Breakdowns route={route} by={by} />
            <BreakdownTable
              by={by}
              groups={data.groups ?? []}
              days={days}
              filter={{ project, createdAfter: dayOf(firstOf(days)) }}
            />
          </section>
        </>
      )}
    </div>
  )
}

/** The midnight before the first of that many days in the viewer's time zone, counting today. */
function firstOf(days: number): Date {
  const today = new Date(serverNow())
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() - days + 1)
}

const justBefore = (date: Date) => new Date(date.getTime() - 1).toISOString()

function addressWith({ path, query }: Route, changes: Record<string, string | number | undefined>): string {
  const kept = Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name)]))
  return href(path, { ...kept, ...changes })
}

function Periods({ route, days }: { route: Route; days: number }) {
  return (
    <nav class="periods" aria-label="Period">
      {periods.map((one) => (
        <a
          key={one}
          href={addressWith(route, { days: one === 30 ? undefined : one })}
          aria-current={one === days ? 'true' : undefined}
        >
          {one} <span aria-hidden="true">d</span>
          <span class="unseen">days</span>
        </a>
      ))}
    </nav>
  )
}

function Breakdowns({ route, by }: { route: Route; by: Breakdown }) {
  return (
    <nav class="tabs" aria-label="Compare by">
      {Object.entries(breakdowns).map(([name, word]) => (
        <a
          key={name}
          href={addressWith(route, { by: name === 'agent' ? undefined : name })}
          aria-current={name === by ? 'true' : undefined}
        >
          {word}
        </a>
      ))}
    </nav>
  )
}

const countText = (sum: number, { word }: Series) => `${sum.toLocaleString('en')} ${word.toLowerCase()}`

function Charts({ stats: { days }, timeZone }: { stats: Stats; timeZone: string }) {
  const labels = days.map(({ day }) => day)
  const shared = { labels, timeZone }
  const cost: Series = { word: 'Cost', icon: 'trends', tone: 'quiet', values: days.map(({ costUsd }) => costUsd) }
  const tokens = (word: string, field: 'inputTokens' | 'outputTokens'): Series => ({
    ...{ word, icon: 'activity', tone: 'quiet' },
    values: days.map((day) => day[field]),
  })
  return (
    <>
      <div class="charts">
        <Chart
          {...shared}
          title="Runs by status"
          series={seriesOf(days, statusLooks, ({ byStatus }) => byStatus)}
          sumText={countText}
        />
        <Chart
          {...shared}
          title="Runs by verdict"
          series={seriesOf(days, verdictLooks, ({ byVerdict }) => byVerdict)}
          sumText={countText}
        />
        <Chart {...shared} title="Cost in US dollars" series={[cost]} sumText={(sum) => costOf(sum)} />
        <Chart
          {...shared}
          title="Tokens"
          series={[tokens('Input', 'inputTokens'), tokens('Output', 'outputTokens')]}
          sumText={countText}
        />
      </div>
      <p class="more">
        <CsvButton name={`runs-by-day-${labels.length}-days`} rows={() => dayRows(days)} />
      </p>
    </>
  )
}

type Day = Stats['days'][number]

/** One series for each name in the counts of a day. */
function seriesOf<Name extends string>(
  days: Day[],
  looks: Record<Name, Omit<Series, 'values'>>,
  counted: (day: Day) => Record<Name, number>,
): Series[] {
  const names = Object.keys(looks) as Name[]
  return names.map((name) => ({ ...looks[name], values: days.map((day) => counted(day)[name]) }))
}

/** What the charts show; what no run of a day reports is left empty. */
function dayRows(days: Day[]) {
  const statuses = Object.keys(statusLooks) as (keyof Day['byStatus'])[]
  const verdicts = Object.keys(verdictLooks) as (keyof Day['byVerdict'])[]
  return [
    ['day', 'runs', ...statuses, ...verdicts, 'cost_usd', 'input_tokens', 'output_tokens'],
    ...days.map((day) => [
      day.day,
      day.runs,
      ...statuses.map((status) => day.byStatus[status]),
      ...verdicts.map((verdict) => day.byVerdict[verdict]),
      day.costUsd,
      day.inputTokens,
      day.outputTokens,
    ]),
  ]
}
