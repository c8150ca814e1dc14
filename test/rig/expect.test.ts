import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claude } from './agents/claude.ts'
import { type Figure, findingsOf } from './expect.ts'
import { report } from './report.ts'
import { costOf, tokensOf } from './scripted.ts'

const figure = (scripted: unknown, recorded: unknown): Figure => ({ name: 'answer', scripted, recorded, untold: null })
const silent = { ...claude, limits: [{ scenario: 'whole session', figures: ['answer'], why: 'It says nothing.' }] }

test('a figure that differs from the script is found', () => {
  assert.deepEqual(findingsOf(claude, 'whole session', [figure('Done.', 'Done.')]), [])
  assert.deepEqual(findingsOf(claude, 'whole session', [figure('Done.', 'Gone.')]), [
    { name: 'answer', scripted: 'Done.', recorded: 'Gone.' },
  ])
})

test('a figure that the agent does not report must be missing, in that scenario only', () => {
  const limit = { name: 'answer', scripted: 'Done.', recorded: null, limit: 'It says nothing.' }
  assert.deepEqual(findingsOf(silent, 'whole session', [figure('Done.', null)]), [limit])
  assert.deepEqual(findingsOf(silent, 'subagent', [figure('Done.', null)]), [
    { name: 'answer', scripted: 'Done.', recorded: null },
  ])
  // If the agent reports the figure after all, the limit is out of date.
  assert.deepEqual(findingsOf(silent, 'whole session', [figure('Done.', 'Done.')]), [
    { name: 'answer', scripted: null, recorded: 'Done.' },
  ])
})

test('tokens and cost are those of the API, where cache writes have a price of their own or count as input', () => {
  const tokens = { input: 1_000_000, cacheRead: 2_000_000, cacheWrite: 4_000_000, output: 1_000_000 }
  assert.deepEqual(costOf(claude, tokens), { usd: 3 + 0.6 + 15 + 15, source: 'reported' })
  assert.equal(tokensOf(claude, tokens).cacheWriteTokens, 4_000_000)
  const other = { ...claude, cost: { source: 'estimated', input: 2, cacheRead: 1, output: 8 } as const }
  assert.deepEqual(costOf(other, tokens), { usd: 2 + 2 + 8 + 8, source: 'estimated' })
  assert.equal(tokensOf(other, tokens).cacheWriteTokens, 0)
  assert.equal(costOf({ ...claude, cost: undefined }, tokens), null)
})

test('the report names differences, unreported figures and agents that were not tried', () => {
  const head = { agent: claude, version: '1.2.3', scenario: 'whole session' }
  const difference = { name: 'answer', scripted: 'Done.', recorded: 'Gone.' }
  const limit = { name: 'status', scripted: 'completed', recorded: 'in_progress', limit: 'It says nothing.' }
  const text = report([
    { ...head, kind: 'differs', findings: [difference, limit], note: '/tmp/place' },
    { ...head, kind: 'not tried', findings: [], note: 'npm has no such package' },
  ])
  assert.match(text, /1\.2\.3 +│ whole session +│ differs \(1 different, 1 not reported by the agent\)/)
  assert.match(text, /answer: scripted "Done\.", recorded "Gone\."/)
  assert.match(text, /status: "in_progress"\. It says nothing\./)
  assert.match(text, /not tried +│\n[\s\S]*npm has no such package/)
})
