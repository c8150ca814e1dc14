import assert from 'node:assert/strict'
import type { TimelineEntry } from '../src/nouns/run/timeline-fields.ts'
import { testLedger } from './support/engines.ts'

/** Runs `act` so many times, some at once. */
async function repeat(times: number, act: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < times; n += 25) await Promise.all(Array.from({ length: 25 }, (_, more) => act(n + more)))
}

const kinds = ({ kind, ...entry }: TimelineEntry) => (kind === 'omitted' && 'of' in entry ? `no ${entry.of}` : kind)

testLedger('a timeline says what it leaves out of a long history, and where', async ({ client }) => {
  const { run } = await client.createRun({ title: 'Long' })
  const { runId } = run
  await repeat(550, (n) => client.updateRun({ runId, labels: { n: String(n) } }))
  await repeat(525, (n) => client.appendTurn({ runId, prompt: `Step ${n}` }))
  await repeat(525, () => client.createCheck({ runId, result: 'pass' }))
  await repeat(525, () => client.createRun({ retryOf: runId }))
  // Clocks may disagree with the order of arrival.
  await client.createRun({ retryOf: runId, createdAt: '2020-01-01T00:00:00.000Z' })
  const { timeline } = await client.timeline({ runId })
  const omitted = timeline.filter((entry) => entry.kind === 'omitted')
  const events = timeline.filter((entry) => entry.kind === 'event')
  assert.equal(events.length, 500)
  // Its creation and the updates, and what the checks changed.
  assert.deepEqual(Object.fromEntries(omitted.map(({ of, count }) => [of, count])), {
    event: 51 + events.filter(({ event }) => 'verdict' in event.changes).length,
    turn: 25,
    check: 25,
    attempt: 27,
  })
  const told = timeline.map(kinds)
  assert.equal(
    told.indexOf('no event'),
    told.findIndex((_, at) => told.slice(0, at).filter((one) => one === 'event').length === 100),
  )
  for (const noun of ['turn', 'check', 'attempt']) {
    assert.ok(told.indexOf(`no ${noun}`) < told.indexOf(noun), `${noun}: ${told.indexOf(`no ${noun}`)}`)
  }
})

testLedger('a timeline of large events and turns is no longer than a few pages', async ({ client }) => {
  const { runId } = (await client.createRun({ title: 'Large' })).run
  const link = (n: number) => ({ rel: `r${n}`, href: `https://example.com/${'x'.repeat(1_900)}` })
  const links = (n: number) => Array.from({ length: 32 }, (_, at) => link(n + at))
  await repeat(75, (n) => client.updateRun({ runId, links: links(n) }))
  const files = (n: number) => Array.from({ length: 500 }, (_, at) => ({ path: `${n}-${at}${'x'.repeat(900)}` }))
  for (let n = 0; n < 12; n++) await client.appendTurn({ runId, prompt: `Step ${n}`, files: files(0) })
  const { timeline } = await client.timeline({ runId })
  const bytes = JSON.stringify(timeline).length
  assert.ok(bytes > 2_000_000 && bytes < 4_100_000, `${bytes} bytes`)
  const count = (kind: string) => timeline.filter((entry) => entry.kind === kind).length
  const omitted = timeline.filter((entry) => entry.kind === 'omitted')
  const left = Object.fromEntries(omitted.map(({ of, count }) => [of, count]))
  assert.deepEqual([count('event') + (left.event ?? 0), count('turn') + (left.turn ?? 0)], [76, 12])
  assert.ok(count('turn') >= 5, `${count('turn')} turns`)
  const told = timeline.map(kinds)
  assert.ok(told.indexOf('no event') > 1, 'the first events are shown')
  const newest = timeline.findLast((entry) => entry.kind === 'turn')
  assert.equal(newest?.turn.title, 'Step 11')
})

testLedger('a timeline that shows everything says nothing of what it leaves out', async ({ client }) => {
  const { runId } = (await client.createRun({ title: 'Short' })).run
  await client.appendTurn({ runId, prompt: 'Go on' })
  await client.createCheck({ runId, result: 'pass' })
  const { timeline } = await client.timeline({ runId })
  assert.ok(!timeline.some(({ kind }) => kind === 'omitted'))
})
