import { defined } from './fields.ts'
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

/** A cost without the noise of adding fractions. */
export const rounded = (usd: number): number => Number(usd.toFixed(8))

export const tokensOf = ({ inputTokens, outputTokens }: Usage) => inputTokens + outputTokens

/** Undefined if neither is known, which is not the same as 0. */
const sumOf = (a: number | undefined, b: number | undefined) =>
  a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0)
