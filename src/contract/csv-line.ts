/**
 * Cells as a line of CSV (RFC 4180). A missing value is an empty cell, which `""`, the empty text, is not. A number stays
 * a number, also -5. A list or a map is a cell of JSON.
 */
export const csvLine = (cells: readonly unknown[]): string => `${cells.map(cellOf).join(',')}\r\n`

/**
 * A spreadsheet runs a text that begins with one of these as a formula, even one that an agent wrote (OWASP, CSV
 * injection). An apostrophe before it prevents that. One that the text begins with gets another, so readers can remove it.
 */
const risky = /^['=+\-@\t\r\n＝＋－＠]/

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') return quoted(JSON.stringify(value))
  return quoted(risky.test(value) ? `'${value}` : value)
}

const quoted = (text: string) => (text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
