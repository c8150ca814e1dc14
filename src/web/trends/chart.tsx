import { lazy } from '../ui/loading.tsx'
import type { Appearance } from '../ui/status.tsx'
import { dateWords } from '../ui/time.tsx'

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
        <b>{title}</b>, each day in {timeZone}: {sums.length > 0 ? sums.join(', ') : 'none known'}.
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

/** One number per day; null if it is unknown. */
export interface Series extends Appearance {
  values: (number | null)[]
}

const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
const numberOf = (value: number | null | undefined) => (value === null ? '—' : numbers.format(value ?? 0))

/** The data of a chart, newest day first. */
function SeriesTable({ title, labels, series }: { title: string; labels: string[]; series: Series[] }) {
  return (
    // A wide table scrolls in its own box, also by keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reached by keys
    <section class="scrolls" aria-label={`${title}, as a table`} tabIndex={0}>
      <table class="series">
        <thead>
          <tr>
            <th scope="col">Day</th>
            {series.map(({ word }) => (
              <th key={word} scope="col">
                {word}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {labels
            .map((label, index) => (
              <tr key={label}>
                <th scope="row">{dateWords(label)}</th>
                {series.map(({ word, values }) => (
                  <td key={word}>{numberOf(values[index])}</td>
                ))}
              </tr>
            ))
            .reverse()}
        </tbody>
      </table>
    </section>
  )
}

/**
 * Gives the browser a language that Intl knows if its own is not one: some browsers take the machine's, like
 * `en-US@posix`, unchanged, and a library that creates a format with it throws when it is loaded.
 */
function requireLanguage(): void {
  try {
    new Intl.NumberFormat(navigator.language)
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true })
  }
}

/** The viewer's time zone; UTC where the browser has none that can be asked for, like `Etc/Unknown`. */
export function timeZoneHere(): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return timeZone ?? 'UTC'
  } catch {
    return 'UTC'
  }
}
