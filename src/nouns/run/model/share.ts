import { wholeCost } from '../cost.ts'
import { addUsage } from '../turn.ts'
import type { TurnFields } from '../turn-fields.ts'
import type { Usage } from '../work-fields.ts'

/** Tokens and cost. A figure that is missing is unknown. */
export type Figures = Omit<Usage, 'model' | 'costSource'>

const figures = ['inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens', 'costUsd'] as const

/** What the turns of a run used, by the model that they name; null if they say nothing of its usage. */
export type Told = Map<string, Figures | null>

/** Instead of a model: what a run used of which nothing says with which of its models. */
export const noModel = ''

const figuresOf = ({ model: _, costSource: __, ...rest }: Usage): Figures => rest

/** Adds what turns used to what others used. */
export function plus(before: Figures | null, more: Usage | null | undefined): Figures | null {
  const sum = addUsage(before, more ?? undefined)
  return sum && figuresOf(sum)
}

/** Adds a turn: all that it used, also by its subagents, was used with its model. */
export function addTurn(told: Told, { model, usage }: Pick<TurnFields, 'model' | 'usage'>): void {
  const name = usage?.model || model
  if (name) told.set(name, plus(told.get(name) ?? null, usage))
}

/**
 * What of the usage of a run is the share of each model. All of it, if neither the run nor any turn names another model.
 * Otherwise a model has what its turns say, and the rest has no model. So has a figure of which the turns say more than
 * the run does. The shares of a figure add up to that of the run; a run that names no model has none.
 */
export function sharesOf(usage: Usage | null, told: Told): Map<string, Figures> {
  const own = usage?.model || undefined
  const models = new Set([...told.keys(), ...(own === undefined ? [] : [own])])
  if (usage && own !== undefined && models.size === 1) return new Map([[own, figuresOf(usage)]])
  const shares = new Map([...models].map((model): [string, Figures] => [model, {}]))
  if (models.size === 0) return shares
  for (const figure of figures) {
    const total = usage?.[figure]
    if (total !== undefined) share(figure, total, told, shares)
  }
  return shares
}

/** Costs of turns are rounded, so their sum may differ by so much from the cost of the run, in US dollars. */
const rounding = 1e-5

type Figure = (typeof figures)[number]

function share(figure: Figure, total: number, told: Told, shares: Map<string, Figures>): void {
  const known = [...told].flatMap(([model, its]) =>
    its?.[figure] === undefined ? [] : [{ model, count: its[figure] }],
  )
  const most = known.reduce((a, b) => (b.count > a.count ? b : a), { model: noModel, count: 0 })
  const sum = known.reduce((sum, { count }) => sum + count, 0)
  const left = figure === 'costUsd' ? wholeCost(total - sum) : total - sum
  const isRounded = figure === 'costUsd' && Math.abs(left) <= Math.min(rounding, most.count)
  const set = (model: string, count: number) => shares.set(model, { ...shares.get(model), [figure]: count })
  if (left < 0 && !isRounded) {
    set(noModel, total)
    return
  }
  for (const { model, count } of known) set(model, count)
  if (isRounded) set(most.model, wholeCost(most.count + left))
  else if (left > 0 || known.length === 0) set(noModel, left)
}
