import type { Usage } from './seen.ts'

/** Two usages together; of model and cost only what both can vouch for. */
export function plus(a: Usage | undefined, b: Usage | undefined): Usage | undefined {
  if (!a || !b) return a ?? b
  const model = a.model ?? b.model
  return {
    ...(model !== undefined && { model }),
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cacheReadTokens: (a.cacheReadTokens ?? 0) + (b.cacheReadTokens ?? 0),
    cacheWriteTokens: (a.cacheWriteTokens ?? 0) + (b.cacheWriteTokens ?? 0),
    ...(a.costUsd !== undefined &&
      b.costUsd !== undefined &&
      a.costSource === b.costSource && { costUsd: rounded(a.costUsd + b.costUsd), costSource: a.costSource }),
  }
}

/** A cost without the noise of adding fractions. */
export const rounded = (usd: number): number => Number(usd.toFixed(8))

export const tokensOf = ({ inputTokens, outputTokens }: Usage) => inputTokens + outputTokens
