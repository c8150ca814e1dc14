export type Cell = string | number | null

/** Characters that start a formula in a spreadsheet, which would execute a branch name that an agent chose. */
const formula = /^[=+\-@\t\r]/

/** Rows as CSV (RFC 4180). A byte order mark makes spreadsheets read UTF-8. An unknown value is an empty cell. */
export const csvOf = (rows: Cell[][]): string =>
  `\ufeff${rows.map((row) => `${row.map(cellOf).join(',')}\r\n`).join('')}`

function cellOf(cell: Cell): string {
  if (cell === null || typeof cell === 'number') return cell === null ? '' : String(cell)
  const text = formula.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
