export type Cell = string | number | null

/** What a spreadsheet takes for the beginning of a formula: it would run what an agent named a branch. */
const formula = /^[=+\-@\t\r]/

/** Rows as CSV (RFC 4180), with a byte order mark by which spreadsheets know UTF-8. An unknown value is an empty cell. */
export const csvOf = (rows: Cell[][]): string =>
  `\ufeff${rows.map((row) => `${row.map(cellOf).join(',')}\r\n`).join('')}`

function cellOf(cell: Cell): string {
  if (cell === null || typeof cell === 'number') return cell === null ? '' : String(cell)
  const text = formula.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
