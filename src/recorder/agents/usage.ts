import { countOf, defined, mostCount } from './fields.ts'
import type { SeenUsage } from './seen.ts'

/** A usage of an agent that counts the tokens read from and written to the cache apart from other input. */
export function usageBeside({ input, output, read, write }: CountedBeside): SeenUsage {
  const [cacheReadTokens, cacheWriteTokens] = [countOf(read), countOf(write)]
  const inputTokens = countOf(input) + cacheReadTokens + cacheWriteTokens
  return { inputTokens, outputTokens: countOf(output), cacheReadTokens, cacheWriteTokens }
}

/** The counts as a transcript has them. */
type CountedBeside = Record<'input' | 'output' | 'read' | 'write', unknown>

/** Two usages together; of model and cost only what both can vouch for. */
export function plus(a: SeenUsage | undefined, b: SeenUsage | undefined): SeenUsage | undefined {
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
export function usageWithin({ costUsd, costSource, ...usage }: SeenUsage): SeenUsage {
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

export const tokensOf = ({ inputTokens, outputTokens }: SeenUsage) => inputTokens + outputTokens

/** Undefined if neither is known, which is not the same as 0. */
const sumOf = (a: number | undefined, b: number | undefined) =>
  a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0)

// The price list (https://github.com/pydantic/genai-prices) is large, so it is loaded only where needed, and never by a
// hook.

/** Surcharges of providers for long requests start above this many input tokens. */
const shortTokens = 100_000

/**
 * Adds the cost by public list prices, as if each request were short. A usage with a cost, or with an unlisted model,
 * stays unchanged.
 */
export async function estimateCost(usage: SeenUsage): Promise<SeenUsage> {
  return usage.costUsd === undefined ? (await loadPrices())(usage) : usage
}

/** Loads the price list, and returns what adds the cost to a usage as `estimateCost` does. */
export async function loadPrices(): Promise<(usage: SeenUsage) => SeenUsage> {
  const { calcPrice } = await import('@pydantic/genai-prices')
  return (usage) =>
    usage.costUsd === undefined ? withCost(usage, costOf([{ ...usage, isMany: true }], calcPrice)) : usage
}

/** The total of all requests, with the cost by public list prices if all models are listed. */
export async function totalOf(requests: readonly SeenUsage[]): Promise<SeenUsage | undefined> {
  const used = requests.filter(({ inputTokens, outputTokens }) => inputTokens + outputTokens > 0)
  const total = used.reduce<SeenUsage | undefined>(plus, undefined)
  if (!total) return undefined
  const { calcPrice } = await import('@pydantic/genai-prices')
  const { model: _, ...tokens } = total
  return withCost(tokens, costOf(gathered(used), calcPrice))
}

const withCost = (usage: SeenUsage, costUsd: number | undefined): SeenUsage =>
  costUsd === undefined ? usage : { ...usage, costUsd, costSource: 'estimated' }

type CalcPrice = typeof import('@pydantic/genai-prices').calcPrice

/** `isMany` marks a sum of short requests, whose size does not count. */
type Priced = SeenUsage & { isMany?: true }

/** Adds up the short requests of each model, because each price lookup takes time. */
function gathered(requests: SeenUsage[]): Priced[] {
  const short = new Map<string | undefined, SeenUsage>()
  const long: SeenUsage[] = []
  for (const request of requests) {
    if (request.inputTokens > shortTokens) long.push(request)
    else short.set(request.model, plus(short.get(request.model), request) as SeenUsage)
  }
  return [...long, ...[...short.values()].map((usage): Priced => ({ ...usage, isMany: true }))]
}

function costOf(requests: Priced[], calcPrice: CalcPrice): number | undefined {
  let sum = 0
  for (const { model, isMany, ...tokens } of requests) {
    const parts = isMany ? Math.max(1, Math.ceil(tokens.inputTokens / shortTokens)) : 1
    const share = (count: number | undefined) => (count === undefined ? undefined : count / parts)
    const usage = defined({
      input_tokens: share(tokens.inputTokens),
      output_tokens: share(tokens.outputTokens),
      cache_read_tokens: share(tokens.cacheReadTokens),
      cache_write_tokens: share(tokens.cacheWriteTokens),
    })
    const price = model === undefined ? null : tried(() => calcPrice(usage, model))
    if (!price) return undefined
    sum += price.total_price * parts
  }
  return rounded(sum)
}

/** The list throws for impossible counts, such as more cached tokens than total tokens. */
function tried<T>(work: () => T): T | null {
  try {
    return work()
  } catch {
    return null
  }
}

const figures = ['inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens'] as const

/**
 * What was used between two totals of a session; undefined for nothing. A cost is only known where both totals have one of
 * the same source.
 */
export function usageBetween(before: SeenUsage | undefined, total: SeenUsage): SeenUsage | undefined {
  if (!before) return isUsed(total) ? total : undefined
  const used: SeenUsage = { ...defined({ model: total.model }), inputTokens: 0, outputTokens: 0 }
  for (const figure of figures) {
    if (total[figure] !== undefined) used[figure] = Math.max(0, total[figure] - (before[figure] ?? 0))
  }
  if (!isUsed(used)) return undefined
  const { costUsd, costSource } = total
  const isComparable = costUsd !== undefined && costSource === before.costSource
  return isComparable && before.costUsd !== undefined
    ? { ...used, costUsd: rounded(Math.max(0, costUsd - before.costUsd)), ...defined({ costSource }) }
    : used
}

const isUsed = ({ inputTokens, outputTokens }: SeenUsage) => inputTokens + outputTokens > 0
