/** One line of the report. */
export interface Row {
  title: string
  measured: string
  bar?: string
  hope?: string
  pass?: boolean
}

/** A figure, what it must reach and what it should. */
export interface Goal {
  bar: number
  hope: number
}

/** The row of a figure that should be small. */
export const atMost = (title: string, value: number, unit: string, { bar, hope }: Goal, said?: string): Row => ({
  title,
  measured: said ?? `${shown(value)} ${unit}`,
  bar: `≤ ${bar.toLocaleString('en')} ${unit}`,
  hope: `≤ ${hope.toLocaleString('en')}`,
  pass: value <= bar,
})

/** The row of a figure that should be large. */
export const atLeast = (title: string, value: number, unit: string, { bar, hope }: Goal, said?: string): Row => ({
  title,
  measured: said ?? `${shown(value)} ${unit}`,
  bar: `≥ ${bar} ${unit}`,
  hope: `≥ ${hope}`,
  pass: value >= bar,
})

/** With two decimals where it is small, and none where it is large. */
export const shown = (value: number) =>
  Math.abs(value) < 10 ? value.toFixed(2) : Math.round(value).toLocaleString('en')

export const percentile = (values: number[], part: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The rows as a markdown table. */
export function table(rows: Row[]): string {
  const cells = [
    ['work', 'measured', 'bar', 'hope', ''],
    ['---', '---', '---', '---', '---'],
    ...rows.map(({ title, measured, bar = '–', hope = '–', pass }) => [
      title,
      measured,
      bar,
      hope,
      pass === undefined ? '' : pass ? 'pass' : 'MISS',
    ]),
  ]
  return cells.map((line) => `| ${line.join(' | ')} |`).join('\n')
}
