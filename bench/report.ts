/** One line of the report. */
export interface Row {
  title: string
  measured: string
  bar?: string
  pass?: boolean
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The rows as a markdown table. */
export function table(rows: Row[]): string {
  const cells = [
    ['work', 'measured', 'bar', ''],
    ['---', '---', '---', '---'],
    ...rows.map(({ title, measured, bar = '–', pass }) => [
      title,
      measured,
      bar,
      pass === undefined ? '' : pass ? 'pass' : 'MISS',
    ]),
  ]
  return cells.map((line) => `| ${line.join(' | ')} |`).join('\n')
}
