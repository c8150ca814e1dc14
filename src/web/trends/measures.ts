import type { Output } from '../../client/client.ts'
import { spanOf } from '../ui/ago.tsx'

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
type Tokens = Pick<Tally, 'inputTokens' | 'outputTokens'>

const isUnknown = ({ inputTokens, outputTokens }: Tokens) => inputTokens === null && outputTokens === null
const countText = (count: number | null) => (count === null ? '—' : compact.format(count))

export const allTokensText = (tokens: Tokens) =>
  isUnknown(tokens) ? '—' : compact.format((tokens.inputTokens ?? 0) + (tokens.outputTokens ?? 0))

export const tokensText = (tokens: Tokens) =>
  isUnknown(tokens) ? '—' : `${countText(tokens.inputTokens)} in, ${countText(tokens.outputTokens)} out`
