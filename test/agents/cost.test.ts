import assert from 'node:assert/strict'
import { test } from 'node:test'
import { estimateCost, totalOf } from '../../src/recorder/agents/usage.ts'

const model = 'claude-sonnet-4-5-20250929'
const used = { model, inputTokens: 39_835, outputTokens: 264, cacheReadTokens: 32_900, cacheWriteTokens: 5_800 }

test('a cost is estimated from all input, with cached parts at their own prices', async () => {
  assert.deepEqual(await estimateCost(used), { ...used, costUsd: 0.038985, costSource: 'estimated' })
})

test('usage with a cost, an unknown model or impossible counts stays as it is', async () => {
  for (const usage of [
    { ...used, costUsd: 1, costSource: 'reported' } as const,
    { ...used, model: 'a-new-model' },
    { inputTokens: 10, outputTokens: 1 },
    { ...used, inputTokens: 5 },
  ]) {
    assert.deepEqual(await estimateCost(usage), usage)
  }
})

test('many short requests have the price of short ones, however large their sum', async () => {
  const hundred = {
    ...used,
    inputTokens: 3_983_500,
    outputTokens: 26_400,
    cacheReadTokens: 3_290_000,
    cacheWriteTokens: 580_000,
  }
  assert.equal((await estimateCost(hundred)).costUsd, 3.8985)
  assert.equal((await totalOf(Array.from({ length: 100 }, () => used)))?.costUsd, 3.8985)
})

test('a long request has the price of long requests', async () => {
  const long = { model, inputTokens: 300_000, outputTokens: 0 }
  const [short, total] = [await estimateCost(long), await totalOf([long])]
  assert.equal(short.costUsd, 0.9)
  assert.ok((total?.costUsd ?? 0) > 0.9, `${total?.costUsd}`)
})

test('each model has its own price, and the total is unknown if one has none', async () => {
  const haiku = { model: 'claude-haiku-4-5', inputTokens: 1_000_000, outputTokens: 0 }
  const both = await totalOf([haiku, { ...haiku, inputTokens: 50_000 }, { ...haiku, model, inputTokens: 100_000 }])
  assert.deepEqual([both?.costUsd, both?.model, both?.inputTokens], [1.35, undefined, 1_150_000])
  assert.equal((await totalOf([haiku, { ...haiku, model: 'a-new-model' }]))?.costUsd, undefined)
  assert.equal(await totalOf([{ ...haiku, model: '<synthetic>', inputTokens: 0 }]), undefined)
})
