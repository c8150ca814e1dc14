const hourMs = 3_600_000
const units: Record<string, number> = { h: hourMs, d: 24 * hourMs, w: 7 * 24 * hourMs }

/** The longest span that people write as a number of hours, days or weeks. */
const pattern = /^([1-9]\d{0,4})([hdw])$/

/** The local midnight of a day such as `2026-01-31`; undefined for any other text. */
export function midnightOf(text: string): Date | undefined {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []
  const date = new Date(Number(year), Number(month) - 1, Number(day))
  return date.getMonth() === Number(month) - 1 && date.getDate() === Number(day) ? date : undefined
}

/** The milliseconds in a span such as `12h`, `7d` or `4w`; undefined for any other text. */
export function spanMsOf(text: string): number | undefined {
  const [, count, unit = ''] = pattern.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * (units[unit] as number)
}

/**
 * The moment before the first one of a period, in milliseconds as the ledger counts. Filters such as `createdAfter`
 * exclude the moment that they name, so a day from its midnight on is what comes after this.
 */
export const justBefore = (first: Date): Date => new Date(first.getTime() - 1)
