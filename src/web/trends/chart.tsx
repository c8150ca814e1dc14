import { requireLanguage } from '../data/locale.ts'
import { lazy } from '../ui/loading.tsx'
import { type Series, SeriesTable } from './series-table.tsx'

const Bars = lazy(() => {
  requireLanguage()
  return import('./bars.tsx')
})

interface Props {
  title: string
  /** The days. */
  labels: string[]
  series: Series[]
  /** The sum of a series, as text. */
  sumText: (sum: number, series: Series) => string
  timeZone: string
}

/** A chart of days, with the same data as text and as a table. */
export function Chart({ title, labels, series, sumText, timeZone }: Props) {
  const some = series.filter(({ values }) => values.some((value) => value !== null && value > 0))
  const sums = some.map((one) =>
    sumText(
      one.values.reduce<number>((sum, value) => sum + (value ?? 0), 0),
      one,
    ),
  )
  return (
    <figure class="chart">
      <figcaption>
        {title}, each day in {timeZone}: {sums.length > 0 ? sums.join(', ') : 'none known'}.
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
