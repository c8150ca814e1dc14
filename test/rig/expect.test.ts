import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claude } from './agents/claude.ts'
import { type Figure, findingsOf } from './expect.ts'
import { report } from './report.ts'
import { costOf, tokensOf } from './scripted.ts'

const figure = (scripted: unknown, recorded: unknown): Figure => ({ name: 'answer', scripted, recorded, untold: null })
const silent = { ...claude, limits: [{ scenario: 'whole session', figures: ['answer'], why: 'It says nothing.' }] }

test('a figure that is not as scripted is found', () => {
  assert.deepEqual(findingsOf(claude, 'whole session', [figure('Done.', 'Done.')]), [])
  assert.deepEqual(findingsOf(claude, 'whole session', [figure('Done.', 'Gone.')]), [
    { name: 'answer', scripted: 'Done.', recorded: 'Gone.' },
  ])
})

test('a figure that the agent does not report must be missing, and only in that scenario', () => {
  const limit = { name: 'answer', scripted: 'Done.', recorded: null, limit: 'It says nothing.' }
  assert.deepEqual(findingsOf(silent, 'whole session', [figure('Done.', null)]), [limit])
  assert.deepEqual(findingsOf(silent, 'subagent', [figure('Done.', null)]), [
    { name: 'answer', scripted: 'Done.', recorded: null },
  ])
  // Were it reported after all, the limit would have to go.
  assert.deepEqual(findingsOf(silent, 'whole session', [figure('Done.', 'Done.')]), [
    { name: 'answer', scripted: null, recorded: 'Done.' },
  ])
})

test('tokens and cost are those of the API: what is written to a cache has a price of its own, or is input', () => {
  const tokens = { input: 1_000_000, cacheRead: 2_000_000, cacheWrite: 4_000_000, output: 1_000_000 }
  assert.deepEqual(costOf(claude, tokens), { usd: 3 + 0.6 + 15 + 15, source: 'reported' })
  assert.equal(tokensOf(claude, tokens).cacheWriteTokens, 4_000_000)
  const other = { ...claude, cost: { source: 'estimated', input: 2, cacheRead: 1, output: 8 } as const }
  assert.deepEqual(costOf(other, tokens), { usd: 2 + 2 + 8 + 8, source: 'estimated' })
  assert.equal(tokensOf(other, tokens).cacheWriteTokens, 0)
  assert.equal(costOf({ ...claude, cost: undefined }, tokens), null)
})

test('the report names what differs, what is not reported and what was not tried', () => {
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
