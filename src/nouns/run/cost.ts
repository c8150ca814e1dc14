/**
 * A cost in whole billionths of a dollar. Totals count costs so, because sums of these are exact below a million dollars,
 * whatever was added or taken away before.
 */
export const wholeCost = (usd: number): number => Math.floor(usd * 1e9 + 0.5) / 1e9

/**
 * The cost of `costed` runs as the API returns it; null rather than 0 if there are none. Sums too large to be exact are
 * the same everywhere in twelve digits. None is negative.
 */
export const knownCost = (sum: number, costed: number): number | null =>
  costed === 0 ? null : Math.max(0, Number(wholeCost(sum).toPrecision(12)))
