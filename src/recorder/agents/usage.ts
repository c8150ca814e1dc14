import { defined, mostCount } from './fields.ts'
import type { Usage } from './seen.ts'

/** Two usages together; of model and cost only what both can vouch for. */
export function plus(a: Usage | undefined, b: Usage | undefined): Usage | undefined {
  if (!a || !b) return a ?? b
  const model = a.model ?? b.model
  return {
    ...(model !== undefined && { model }),
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ...defined({
      cacheReadTokens: sumOf(a.cacheReadTokens, b.cacheReadTokens),
      cacheWriteTokens: sumOf(a.cacheWriteTokens, b.cacheWriteTokens),
    }),
    ...(a.costUsd !== undefined &&
      b.costUsd !== undefined &&
      a.costSource === b.costSource && { costUsd: rounded(a.costUsd + b.costUsd), costSource: a.costSource }),
  }
}

const mostUsd = 1e9

/** A usage as the ledger takes it: its sums stop at the largest count, and it has no cost beyond the largest one. */
export function usageWithin({ costUsd, costSource, ...usage }: Usage): Usage {
  const within = (count: number | undefined) => (count === undefined ? undefined : Math.min(count, mostCount))
  return {
    ...usage,
    inputTokens: Math.min(usage.inputTokens, mostCount),
    outputTokens: Math.min(usage.outputTokens, mostCount),
    ...defined({ cacheReadTokens: within(usage.cacheReadTokens), cacheWriteTokens: within(usage.cacheWriteTokens) }),
    ...(costUsd !== undefined && costUsd <= mostUsd && defined({ costUsd, costSource })),
  }
}

/** A cost without the noise of adding fractions. */
export const rounded = (usd: number): number => Number(usd.toFixed(8))

export const tokensOf = ({ inputTokens, outputTokens }: Usage) => inputTokens + outputTokens

/** Undefined if neither is known, which is not the same as 0. */
const sumOf = (a: number | undefined, b: number | undefined) =>
  a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0)
