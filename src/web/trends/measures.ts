import type { Output } from '../../client/client.ts'
import { spanOf } from '../ui/ago.tsx'
import { costOf } from '../ui/cost.ts'

export type Stats = Output<'stats'>
export type Tally = Omit<Stats['total'], 'day'>
export type Group = NonNullable<Stats['groups']>[number]

/** The dimensions of the breakdown, and the headings of their columns. */
export const breakdowns = {
  agent: 'Agent',
  author: 'Author',
  specId: 'Spec',
  project: 'Project',
  model: 'Model',
  branch: 'Branch',
} as const
export type Breakdown = keyof typeof breakdowns

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

/** A share of all runs, so that success and verified have the same denominator. */
export const shareOf = (part: number, whole: number) => (whole === 0 ? '—' : `${Math.round((part / whole) * 100)}%`)
export const timeOf = (ms: number | null) => (ms === null ? '—' : spanOf(ms))
export const knownCost = ({ costed, costUsd }: Pick<Tally, 'costed' | 'costUsd'>) => (costed === 0 ? null : costUsd)
export const costText = (tally: Tally) => costOf(knownCost(tally))

/** Runs without known tokens add 0 to the sums, so a sum of 0 means unknown. */
export const knownTokens = ({ inputTokens, outputTokens }: Tally) =>
  inputTokens + outputTokens === 0 ? null : { input: inputTokens, output: outputTokens }

export function allTokensText(tally: Tally): string {
  const tokens = knownTokens(tally)
  return tokens === null ? '—' : compact.format(tokens.input + tokens.output)
}

export function tokensText(tally: Tally): string {
  const tokens = knownTokens(tally)
  return tokens === null ? '—' : `${compact.format(tokens.input)} in, ${compact.format(tokens.output)} out`
}
