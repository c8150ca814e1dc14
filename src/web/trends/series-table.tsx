import type { Look } from '../ui/status.tsx'

/** One number per day; null if it is unknown. */
export interface Series extends Look {
  values: (number | null)[]
}

const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
const numberOf = (value: number | null | undefined) => (value === null ? '—' : numbers.format(value ?? 0))

/** The data of a chart, newest day first. */
export function SeriesTable({ title, labels, series }: { title: string; labels: string[]; series: Series[] }) {
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
                <th scope="row">{label}</th>
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
