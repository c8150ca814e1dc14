import { justBefore } from '../../contract/ago.ts'
import { href, type Route } from '../app/router.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { serverNow } from '../data/query/timing.ts'
import { dayOf } from '../data/run-filter.ts'
import { Begin } from '../ui/begin.tsx'
import { CsvButton } from '../ui/download.tsx'
import { Head } from '../ui/head.tsx'
import { Problem, Skeleton } from '../ui/loading.tsx'
import { statusLooks, verdictLooks } from '../ui/status.tsx'
import { costOf, knownFor, partOf } from '../ui/words.ts'
import { BreakdownTable } from './breakdown.tsx'
import { Chart, type Series, timeZoneHere } from './chart.tsx'
import {
  allTokensText,
  type Breakdown,
  breakdowns,
  type Stats,
  shareOf,
  successOf,
  timeOf,
  tokensText,
} from './measures.ts'

const periods = [7, 14, 30, 90]

/** What the address asks for. */
interface TrendsQuery {
  days: number
  by: Breakdown
  project: string[] | undefined
}

/** The totals of the runs of the last days. The number of days and the breakdown are part of the address. */
export default function Trends({ route }: { route: Route }) {
  const asked = askedIn(route)
  const timeZone = timeZoneHere()
  const { data, error, isCurrent, reload } = useRead(
    JSON.stringify(asked),
    (signal) => readTrends(asked, timeZone, signal),
    {
      touches: ({ type }) => type.startsWith('run.'),
      restMs: 5000,
    },
  )
  // No runs in another period or project says nothing about these.
  const isAwaited = !error && (!data || (data.stats.total.runs === 0 && !isCurrent))
  return (
    <div class="trends">
      <Head title="Trends" />
      <div class="filters">
        <Periods route={route} days={asked.days} />
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {isAwaited && <Skeleton rows={4} of="charts" />}
      {data?.stats.total.runs === 0 && !isAwaited && <Begin words={`No runs in the last ${data.days} days.`} />}
      {data && data.stats.total.runs > 0 && (
        <div aria-busy={!isCurrent}>
          <Figures stats={data.stats} days={data.days} />
          <Charts stats={data.stats} timeZone={timeZone} />
          <section aria-labelledby="by">
            <h2 id="by">Compare</h2>
            <Breakdowns route={route} by={asked.by} />
            <BreakdownTable by={data.by} groups={data.stats.groups ?? []} days={data.days} filter={data.filter} />
          </section>
        </div>
      )}
    </div>
  )
}

function askedIn({ query }: Route): TrendsQuery {
  const days = Number(query.get('days'))
  const by = query.get('by') ?? ''
  return {
    days: periods.includes(days) ? days : 30,
    by: Object.hasOwn(breakdowns, by) ? (by as Breakdown) : 'agent',
    project: query.has('project') ? query.getAll('project') : undefined,
  }
}

/** The totals with what they are of, because the page shows them until what is asked for next has arrived. */
async function readTrends({ days, by, project }: TrendsQuery, timeZone: string, signal: AbortSignal) {
  const first = firstOf(days)
  const stats = await client.stats({ createdAfter: justBefore(first).toISOString(), by, project, timeZone }, { signal })
  return { stats, days, by, filter: { project, createdAfter: dayOf(first) } }
}

/** The midnight before the first of that many days in the viewer's time zone, counting today. */
function firstOf(days: number): Date {
  const today = new Date(serverNow())
  return new Date(today.getFullYear(), today.getMonth(), today.getDate() - days + 1)
}

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

type DayTotals = Stats['days'][number]

/** One series for each name in the counts of a day. */
function seriesOf<Name extends string>(
  days: DayTotals[],
  looks: Record<Name, Omit<Series, 'values'>>,
  counted: (day: DayTotals) => Record<Name, number>,
): Series[] {
  const names = Object.keys(looks) as Name[]
  return names.map((name) => ({ ...looks[name], values: days.map((day) => counted(day)[name]) }))
}

/** What the charts show; what no run of a day reports is left empty. */
function dayRows(days: DayTotals[]) {
  const statuses = Object.keys(statusLooks) as (keyof DayTotals['byStatus'])[]
  const verdicts = Object.keys(verdictLooks) as (keyof DayTotals['byVerdict'])[]
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

/** The totals of all runs of the period. */
function Figures({ stats: { total, duration }, days }: { stats: Stats; days: number }) {
  const { runs, byStatus, byVerdict, costed } = total
  const success = successOf(byStatus)
  const part = (count: number) => partOf(count, runs)
  return (
    <dl class="figures">
      <Figure name="Runs" value={runs.toLocaleString('en')} note={`in ${days} days`} />
      <Figure name="Success" value={success.share} note={success.note} />
      <Figure name="Verified" value={shareOf(byVerdict.verified, runs)} note={`${part(byVerdict.verified)} verified`} />
      <Figure
        name="Median duration"
        value={timeOf(duration.medianMs)}
        note={`of ${duration.runs.toLocaleString('en')} that ended`}
      />
      <Figure name="90th percentile" value={timeOf(duration.p90Ms)} note="nine of ten are shorter" />
      <Figure name="Cost" value={costOf(total.costUsd)} note={knownFor(costed, runs)} />
      <Figure name="Tokens" value={allTokensText(total)} note={tokensText(total)} />
    </dl>
  )
}

function Figure({ name, value, note }: { name: string; value: string; note: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <b>{value}</b>
        <span class="muted small">{note}</span>
      </dd>
    </div>
  )
}
