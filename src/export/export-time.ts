import { ConductError } from '../contract/error.ts'
import type { Line } from './lines.ts'

/** How far the clock of the exporting server may be ahead, in milliseconds. */
const aheadMs = 5 * 60_000

/** What happened, rather than what is planned. */
const isPast = (column: string) => (column === 'at' || column.endsWith('_at')) && !/expires_at$|^next_/.test(column)

/** Throws BAD_REQUEST for a line with a time more than five minutes after `now` (Unix milliseconds). */
export function requirePastTimes(lines: readonly Line[], now: number): void {
  const latest = new Date(now + aheadMs).toISOString()
  for (const { number, content } of lines) {
    if (!('table' in content)) continue
    for (const [column, value] of Object.entries(content.row)) {
      if (typeof value !== 'string' || value <= latest || !isPast(column)) continue
      throw new ConductError(
        'BAD_REQUEST',
        `Line ${number}: '${column}' in '${content.table}' is ${value}, and it is ${new Date(now).toISOString()}: set the clock right, or add --accept-future to import times that a wrong clock has left.`,
      )
    }
  }
}
