import type { Output } from '../../client/client.ts'
import { href, type Route } from '../app/router.ts'
import { useRead } from '../data/read.ts'
import { client } from '../data/server.ts'
import { spanOf } from '../ui/ago.tsx'
import { costOf } from '../ui/cost.ts'
import { lazy } from '../ui/lazy.tsx'
import { Problem } from '../ui/problem.tsx'
import { statusLooks, verdictLooks } from '../ui/status.tsx'
import { type Series, SeriesTable } from './series-table.tsx'

const Bars = lazy(() => import('./bars.tsx'))

const periods = [7, 14, 30, 90]
const dayMs = 86_400_000

/** What the runs of the last days come to. How many days stands in the address. */
export function Trends({ route }: { route: Route }) {
  const asked = Number(route.query.get('days'))
  const days = periods.includes(asked) ? asked : 30
  const { data, error, reload } = useRead(
    `stats ${days}`,
    (signal) => client.stats({ createdAfter: beginningOf(days) }, { signal }),
    { touches: ({ type }) => type.startsWith('run.'), restMs: 5000 },
  )
  if (!data && !error) return null
  return (
    <section class="trends" aria-labelledby="trends">
      <div class="row trends-head">
        <h2 id="trends">Trends</h2>
        <nav class="periods" aria-label="Period">
          {periods.map((one) => (
            <a
              key={one}
              href={href(route.path, { days: one === 30 ? undefined : one })}
              aria-current={one === days ? 'true' : undefined}
            >
              {one} <span aria-hidden="true">d</span>
              <span class="unseen">days</span>
            </a>
          ))}
        </nav>
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {data && <Told stats={data} days={days} />}
    </section>
  )
}

/** Just before the first of so many days in UTC, of which today is the last. */
const beginningOf = (days: number) => new Date((Math.floor(Date.now() / dayMs) - days + 1) * dayMs - 1).toISOString()

function Told({ stats: { days, total, duration }, days: count }: { stats: Output<'stats'>; days: number }) {
  if (total.runs === 0) return <p class="empty">No runs in the last {count} days.</p>
  const labels = days.map(({ day }) => day)
  return (
    <>
      <dl class="figures">
        <Figure name="Runs" value={total.runs.toLocaleString('en')} note={`in ${count} days`} />
        <Figure
          name="Success"
          value={shareOf(total.byStatus.completed, total.runs)}
          note={`${total.byStatus.completed} of ${total.runs} runs completed`}
        />
        <Figure
          name="Verified"
          value={shareOf(total.byVerdict.verified, total.runs)}
          note={`${total.byVerdict.verified} of ${total.runs} runs verified`}
        />
        <Figure name="Median duration" value={timeOf(duration.medianMs)} note={`of ${duration.runs} that ended`} />
        <Figure name="90th percentile" value={timeOf(duration.p90Ms)} note="nine of ten are shorter" />
        <Figure
          name="Cost"
          value={costOf(total.costed === 0 ? undefined : total.costUsd)}
          note={`known for ${total.costed} of ${total.runs} runs`}
        />
      </dl>
      <div class="charts">
        <Chart
          title="Runs by status"
          labels={labels}
          series={seriesOf(days, statusLooks, ({ byStatus }) => byStatus)}
        />
        <Chart
          title="Runs by verdict"
          labels={labels}
          series={seriesOf(days, verdictLooks, ({ byVerdict }) => byVerdict)}
        />
      </div>
    </>
  )
}

type Day = Output<'stats'>['days'][number]

/** One series for each name that a day is counted by. */
function seriesOf<Name extends string>(
  days: Day[],
  looks: Record<Name, Omit<Series, 'values'>>,
  counted: (day: Day) => Record<Name, number>,
): Series[] {
  const names = Object.keys(looks) as Name[]
  return names.map((name) => ({ ...looks[name], values: days.map((day) => counted(day)[name]) }))
}

const shareOf = (part: number, whole: number) => (whole === 0 ? '—' : `${Math.round((part / whole) * 100)}%`)
const timeOf = (ms: number | null) => (ms === null ? '—' : spanOf(ms))

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

/** A chart, and the same in words and as a table. */
function Chart({ title, labels, series }: { title: string; labels: string[]; series: Series[] }) {
  const some = series.filter(({ values }) => values.some((value) => value > 0))
  const sums = some.map(({ word, values }) => `${values.reduce((a, b) => a + b, 0)} ${word.toLowerCase()}`)
  return (
    <figure class="chart">
      <figcaption>
        {title}, each day in UTC: {sums.join(', ')}.
      </figcaption>
      <div class="plot" aria-hidden="true">
        <Bars labels={labels} series={some} />
      </div>
      <details>
        <summary>As a table</summary>
        <SeriesTable title={title} labels={labels} series={some} />
      </details>
    </figure>
  )
}
