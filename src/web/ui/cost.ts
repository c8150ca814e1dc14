/** A cost in US dollars; "—" if unknown. */
export function costOf(usd: number | null | undefined): string {
  if (usd === null || usd === undefined) return '—'
  if (usd > 0 && usd < 0.01) return '< $0.01'
  return usd === 0 ? '$0' : `$${usd.toFixed(2)}`
}
