import type { ActorName } from '../../contract/field.ts'

const nameless: Record<ActorName['kind'], string> = {
  key: 'a key',
  person: 'a person',
  local: 'a local user',
  system: 'Conduct',
  import: 'an import',
}

/** The name of an actor. */
export const actorText = ({ kind, name }: ActorName): string => name ?? nameless[kind]

/** A count with its noun: `1 run`, `2,000 runs`. */
export const plural = (count: number, noun: string) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`

/** `3 of 2,000 runs` */
export const partOf = (part: number, whole: number) => `${part.toLocaleString('en')} of ${plural(whole, 'run')}`

/** What a sum of costs covers. */
export const knownFor = (costed: number, runs: number) => `reported or estimated for ${partOf(costed, runs)}`

const cents = { minimumFractionDigits: 2, maximumFractionDigits: 2 }

/** A cost in US dollars; "—" if unknown. */
export function costOf(usd: number | null | undefined): string {
  if (usd === null || usd === undefined) return '—'
  if (usd > 0 && usd < 0.01) return '< $0.01'
  return usd === 0 ? '$0' : `$${usd.toLocaleString('en', cents)}`
}

/** The cost of a run or turn; "≈" before one that is estimated from public prices. */
export const costOfUse = (usage: Use | null | undefined, show = costOf): string =>
  `${usage?.costSource === 'estimated' ? '≈ ' : ''}${show(usage?.costUsd)}`

type Use = { costUsd?: number; costSource?: 'reported' | 'estimated' }

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** A cost in as few characters as a narrow column has room for: `$12.3K`. */
export const shortCostOf = (usd: number | null | undefined): string =>
  (usd ?? 0) >= 1000 ? `$${compact.format(usd ?? 0)}` : costOf(usd)
