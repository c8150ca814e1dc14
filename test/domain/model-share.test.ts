import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addTurn, type Figures, sharesOf, type UsageByModel } from '../../src/nouns/run/model/share.ts'
import type { TurnFields } from '../../src/nouns/run/turn-fields.ts'
import type { Usage } from '../../src/nouns/run/work-fields.ts'

const turn = (model: string, costUsd?: number): TurnFields => ({
  usage: { model, inputTokens: 10, ...(costUsd !== undefined && { costUsd }) },
})
const two = [turn('opus', 9), turn('haiku', 0.01)]

const cases: [what: string, usage: Usage | null, turns: TurnFields[], shares: Record<string, Figures>][] = [
  ['no usage', null, [], {}],
  ['usage without a model', { costUsd: 2 }, [], {}],
  ['a model without turns', { model: 'opus', costUsd: 2 }, [], { opus: { costUsd: 2 } }],
  [
    'more than the turns of its only model',
    { model: 'opus', costUsd: 9.5 },
    [turn('opus', 9)],
    { opus: { costUsd: 9 }, '': { costUsd: 0.5 } },
  ],
  ['less than the turns of its only model', { model: 'opus', costUsd: 1 }, [turn('opus', 9)], { opus: { costUsd: 1 } }],
  [
    'less than the turns of another model',
    { model: 'gpt', costUsd: 1 },
    [turn('opus', 9)],
    { gpt: {}, opus: {}, '': { costUsd: 1 } },
  ],
  [
    'two models',
    { model: 'haiku', inputTokens: 20, costUsd: 9.01 },
    two,
    { opus: { inputTokens: 10, costUsd: 9 }, haiku: { inputTokens: 10, costUsd: 0.01 } },
  ],
  [
    'more than the turns of two models',
    { model: 'haiku', inputTokens: 25, costUsd: 9.5 },
    two,
    {
      opus: { inputTokens: 10, costUsd: 9 },
      haiku: { inputTokens: 10, costUsd: 0.01 },
      '': { inputTokens: 5, costUsd: 0.49 },
    },
  ],
  [
    'a cost below that of the turns',
    { model: 'haiku', inputTokens: 20, costUsd: 5 },
    two,
    { opus: { inputTokens: 10 }, haiku: { inputTokens: 10 }, '': { costUsd: 5 } },
  ],
  [
    'a cost rounded down',
    { model: 'haiku', costUsd: 9.0099999 },
    two,
    { opus: { costUsd: 8.9999999 }, haiku: { costUsd: 0.01 } },
  ],
  [
    'a cost rounded up',
    { model: 'haiku', costUsd: 9.0100001 },
    two,
    { opus: { costUsd: 9.0000001 }, haiku: { costUsd: 0.01 } },
  ],
  [
    'a model that only the run names',
    { model: 'gpt', costUsd: 10 },
    two,
    { opus: { costUsd: 9 }, haiku: { costUsd: 0.01 }, gpt: {}, '': { costUsd: 0.99 } },
  ],
  ['a model that only a turn names', { costUsd: 9 }, [turn('opus', 9)], { opus: { costUsd: 9 } }],
  [
    'an unknown cost',
    { model: 'haiku', inputTokens: 20 },
    two,
    { opus: { inputTokens: 10 }, haiku: { inputTokens: 10 } },
  ],
  [
    'a turn of unknown cost',
    { model: 'haiku', inputTokens: 30, costUsd: 12 },
    [...two, turn('opus')],
    { opus: { inputTokens: 20 }, haiku: { inputTokens: 10, costUsd: 0.01 }, '': { costUsd: 11.99 } },
  ],
  [
    'a turn without a model, and one without usage',
    { model: 'haiku', inputTokens: 27, costUsd: 9.01 },
    [...two, { usage: { inputTokens: 7 } }, { model: 'sonnet' }],
    {
      opus: { inputTokens: 10, costUsd: 9 },
      haiku: { inputTokens: 10, costUsd: 0.01 },
      sonnet: {},
      '': { inputTokens: 7 },
    },
  ],
  [
    'a turn whose usage names no model',
    { inputTokens: 3 },
    [{ model: 'opus', usage: { inputTokens: 3 } }],
    { opus: { inputTokens: 3 } },
  ],
]

for (const [what, usage, turns, expected] of cases) {
  test(`the shares of models: ${what}`, () => {
    const told: UsageByModel = new Map()
    for (const one of turns) addTurn(told, one)
    assert.deepEqual(Object.fromEntries(sharesOf(usage, told)), expected)
  })
}
