import type { Output } from '../../client/client.ts'
import { spanOf } from '../../contract/span.ts'

export type Stats = Output<'stats'>
type Tally = Omit<Stats['total'], 'day'>
export type TrendGroup = NonNullable<Stats['groups']>[number]

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

/** Those that completed of those that ended: a run in progress has neither succeeded nor failed. */
export function successOf({ completed, failed }: Tally['byStatus']): { share: string; note: string } {
  const ended = completed + failed
  return {
    share: shareOf(completed, ended),
    note: `${completed.toLocaleString('en')} of ${ended.toLocaleString('en')} that ended`,
  }
}

/** A share in percent. Only all of them are 100%, and none 0%. */
export function shareOf(part: number, whole: number): string {
  if (whole === 0) return '—'
  const percent = Math.round((part / whole) * 100)
  if (percent === 0 && part > 0) return '< 1%'
  return percent === 100 && part < whole ? '> 99%' : `${percent}%`
}

export const timeOf = (ms: number | null) => (ms === null ? '—' : spanOf(ms))
type Tokens = Pick<Tally, 'inputTokens' | 'outputTokens'>

const isUnknown = ({ inputTokens, outputTokens }: Tokens) => inputTokens === null && outputTokens === null
const countText = (count: number | null) => (count === null ? '—' : compact.format(count))

export const allTokensText = (tokens: Tokens) =>
  isUnknown(tokens) ? '—' : compact.format((tokens.inputTokens ?? 0) + (tokens.outputTokens ?? 0))

export const tokensText = (tokens: Tokens) =>
  isUnknown(tokens) ? '—' : `${countText(tokens.inputTokens)} in, ${countText(tokens.outputTokens)} out`
