/** A line of the report. */
export interface Row {
  title: string
  measured: string
  /** The measured number, if it has a bar. */
  value?: number
  bar?: string
  hope?: string
  pass?: boolean
}

/** The result of a part of the benchmark: its rows, or its error. */
export interface Part {
  name: string
  rows: Row[]
  error?: string
}

/** The required and the desired value of a figure. */
export interface Goal {
  bar: number
  hope: number
}

/** A row whose figure should be small. */
export const atMost = (title: string, value: number, unit: string, { bar, hope }: Goal, said?: string): Row => ({
  title,
  measured: said ?? `${shown(value)} ${unit}`,
  value,
  bar: `≤ ${bar.toLocaleString('en')} ${unit}`,
  hope: `≤ ${hope.toLocaleString('en')}`,
  pass: value <= bar,
})

/** A row whose figure should be large. */
export const atLeast = (title: string, value: number, unit: string, { bar, hope }: Goal, said?: string): Row => ({
  title,
  measured: said ?? `${shown(value)} ${unit}`,
  value,
  bar: `≥ ${bar} ${unit}`,
  hope: `≥ ${hope}`,
  pass: value >= bar,
})

/** Two decimals if it is small, none if it is large. */
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

/** The rows as a Markdown table. */
export const table = (rows: Row[]) =>
  markdown([
    ['work', 'measured', 'bar', 'hope', ''],
    ['---', '---', '---', '---', '---'],
    ...rows.map(({ title, measured, bar = '–', hope = '–', pass }) => [title, measured, bar, hope, said(pass)]),
  ])

/** Every figure with a bar, and every failed part, as a Markdown table. */
export function summary(parts: Part[]): string {
  const lines = parts.flatMap(({ name, rows, error }) => [
    ...rows
      .filter(({ pass }) => pass !== undefined)
      .map(({ title, measured, bar = '', pass }) => [name, title, bar, measured, said(pass)]),
    ...(error === undefined ? [] : [[name, 'the whole part', '', error.split('\n')[0] as string, 'FAILED']]),
  ])
  return markdown([['part', 'figure', 'bar', 'measured', ''], ['---', '---', '---', '---', '---'], ...lines])
}

/** Whether every part finished and every figure reaches its bar. */
export const isAllWell = (parts: Part[]) =>
  parts.every(({ rows, error }) => error === undefined && rows.every(({ pass }) => pass !== false))

const said = (pass: boolean | undefined) => (pass === undefined ? '' : pass ? 'ok' : 'MISSED')
const markdown = (lines: string[][]) => lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
