import { wholeCost } from '../cost.ts'
import { addUsage } from '../turn.ts'
import type { TurnFields } from '../turn-fields.ts'
import type { Usage } from '../work-fields.ts'

/** Tokens and cost. A figure that is missing is unknown. */
export type Figures = Omit<Usage, 'model' | 'costSource'>

const figures = ['inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens', 'costUsd'] as const

/** What the turns of a run used, by the model that they name; null if they say nothing of its usage. */
export type UsageByModel = Map<string, Figures | null>

/** Instead of a model: what a run used of which nothing says with which of its models. */
export const noModel = ''

const figuresOf = ({ model: _, costSource: __, ...rest }: Usage): Figures => rest

/** Adds what turns used to what others used. */
export function plus(before: Figures | null, more: Usage | null | undefined): Figures | null {
  const sum = addUsage(before, more ?? undefined)
  return sum && figuresOf(sum)
}

/** Adds a turn: all that it used, also by its subagents, was used with its model. */
export function addTurn(byModel: UsageByModel, { model, usage }: Pick<TurnFields, 'model' | 'usage'>): void {
  const name = usage?.model || model
  if (name) byModel.set(name, plus(byModel.get(name) ?? null, usage))
}

/**
 * What of the usage of a run is the share of each model: what its turns say. The rest has no model, because a turn
 * replaces the model that the run named before. If no turn names a model, all has that of the run. The shares of a
 * figure add up to that of the run. A run without any model has none.
 */
export function sharesOf(usage: Usage | null, byModel: UsageByModel): Map<string, Figures> {
  const own = usage?.model || undefined
  const shares = new Map<string, Figures>(own === undefined ? [] : [[own, {}]])
  if (byModel.size === 0) return usage && own !== undefined ? shares.set(own, figuresOf(usage)) : shares
  for (const model of byModel.keys()) shares.set(model, {})
  // If the turns say more than the run, nobody knows which of them is wrong, unless there is only one model.
  const [only = noModel, ...others] = shares.keys()
  for (const figure of figures) {
    const total = usage?.[figure]
    if (total === undefined) continue
    const parts = partsOf(figure, total, byModel) ?? [[others.length === 0 ? only : noModel, total]]
    for (const [model, count] of parts) shares.set(model, { ...shares.get(model), [figure]: count })
  }
  return shares
}

/** Costs of turns are rounded, so their sum may differ by so much from the cost of the run, in US dollars. */
const rounding = 1e-5

/** The parts of a figure of a run; undefined if the turns say more than the run. */
function partsOf(
  figure: (typeof figures)[number],
  total: number,
  byModel: UsageByModel,
): Map<string, number> | undefined {
  const parts = new Map(
    [...byModel].flatMap(([model, its]) => (its?.[figure] === undefined ? [] : [[model, its[figure]]])),
  )
  const sum = [...parts.values()].reduce((a, b) => a + b, 0)
  const left = figure === 'costUsd' ? wholeCost(total - sum) : total - sum
  const [most, count] = [...parts].reduce((a, b) => (b[1] > a[1] ? b : a), [noModel, 0])
  if (figure === 'costUsd' && Math.abs(left) <= Math.min(rounding, count))
    return parts.set(most, wholeCost(count + left))
  if (left < 0) return undefined
  return left > 0 || parts.size === 0 ? parts.set(noModel, left) : parts
}
