const cents = { minimumFractionDigits: 2, maximumFractionDigits: 2 }

/** A cost in US dollars; "—" if unknown. */
export function costOf(usd: number | null | undefined): string {
  if (usd === null || usd === undefined) return '—'
  if (usd > 0 && usd < 0.01) return '< $0.01'
  return usd === 0 ? '$0' : `$${usd.toLocaleString('en', cents)}`
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** A cost in as few characters as a narrow column has room for: `$12.3K`. */
export const shortCostOf = (usd: number | undefined): string =>
  usd !== undefined && usd >= 1000 ? `$${compact.format(usd)}` : costOf(usd)
