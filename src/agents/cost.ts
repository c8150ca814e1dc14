import { defined } from './fields.ts'
import type { Usage } from './seen.ts'
import { plus, rounded } from './usage.ts'

// The price list (https://github.com/pydantic/genai-prices) is large: it is loaded by whoever needs it, and by no hook.

/** Whatever a provider charges for long requests begins above so many tokens of input. */
const shortTokens = 100_000

/**
 * Adds what the tokens would cost by the list of public prices, as if each request was short. A usage that has a cost, or
 * whose model is not in the list, stays as it is.
 */
export async function estimateCost(usage: Usage): Promise<Usage> {
  if (usage.costUsd !== undefined) return usage
  return withCost(usage, await costOf([{ ...usage, isMany: true }]))
}

/** All requests together, with what they would cost by the list of public prices, where it has all their models. */
export async function totalOf(requests: readonly Usage[]): Promise<Usage | undefined> {
  const used = requests.filter(({ inputTokens, outputTokens }) => inputTokens + outputTokens > 0)
  const total = used.reduce<Usage | undefined>(plus, undefined)
  if (!total) return undefined
  const { model: _, ...tokens } = total
  return withCost(tokens, await costOf(gathered(used)))
}

const withCost = (usage: Usage, costUsd: number | undefined): Usage =>
  costUsd === undefined ? usage : { ...usage, costUsd, costSource: 'estimated' }

/** `isMany`: it is several short requests, whose sizes do not count. */
type Priced = Usage & { isMany?: true }

/** The short requests to each model as one, since each price takes its time. */
function gathered(requests: Usage[]): Priced[] {
  const short = new Map<string | undefined, Usage>()
  const long: Usage[] = []
  for (const request of requests) {
    if (request.inputTokens > shortTokens) long.push(request)
    else short.set(request.model, plus(short.get(request.model), request) as Usage)
  }
  return [...long, ...[...short.values()].map((usage): Priced => ({ ...usage, isMany: true }))]
}

async function costOf(requests: Priced[]): Promise<number | undefined> {
  const { calcPrice } = await import('@pydantic/genai-prices')
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

/** The list throws for counts that cannot be, such as more tokens from the cache than all. */
function tried<T>(work: () => T): T | null {
  try {
    return work()
  } catch {
    return null
  }
}
