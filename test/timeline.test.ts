import assert from 'node:assert/strict'
import sql, { bulk, raw } from 'sql-template-tag'
import type { TimelineEntry } from '../src/nouns/run/timeline-fields.ts'
import { type Ledger, testLedger } from './support/engines.ts'

/** Runs `act` so many times, some at once. */
async function repeat(times: number, act: (n: number) => Promise<unknown>): Promise<void> {
  for (let n = 0; n < times; n += 25) await Promise.all(Array.from({ length: 25 }, (_, more) => act(n + more)))
}

/** Adds rows like the newest one of a table, which takes less time than as many calls. */
async function copyNewest({ store }: Ledger, table: string, times: number, own: (n: number) => object): Promise<void> {
  const [newest] = await store.db.query<{ id: number }>(sql`select * from ${raw(table)} order by id desc limit 1`)
  const { id: _, ...row } = newest ?? assert.fail(`${table} is empty`)
  const rows = Array.from({ length: times }, (_, n) => Object.values({ ...row, ...own(n + 2) }))
  for (let n = 0; n < rows.length; n += 100) {
    const some = rows.slice(n, n + 100)
    await store.db.tx((tx) =>
      tx.query(sql`insert into ${raw(table)} (${raw(Object.keys(row).join(', '))}) values ${bulk(some)}`),
    )
  }
}

const kinds = ({ kind, ...entry }: TimelineEntry) => (kind === 'omitted' && 'of' in entry ? `no ${entry.of}` : kind)

testLedger('a timeline says what it leaves out of a long history, and where', async (ledger) => {
  const { client } = ledger
  const { run } = await client.createRun({ title: 'Long' })
  const { runId } = run
  await repeat(525, (n) => client.updateRun({ runId, labels: { n: String(n) } }))
  await client.appendTurn({ runId, prompt: 'Step' })
  await copyNewest(ledger, 'turns', 524, (n) => ({ n }))
  await client.createCheck({ runId, result: 'pass' })
  await copyNewest(ledger, 'checks', 524, (n) => ({ check_id: `COPY-${n}` }))
  await client.createRun({ retryOf: runId })
  await copyNewest(ledger, 'runs', 524, (n) => ({ run_id: `COPY-${n}` }))
  // Clocks may disagree with the order of arrival.
  await client.createRun({ retryOf: runId, createdAt: '2020-01-01T00:00:00.000Z' })
  const { timeline } = await client.timeline({ runId })
  const omitted = timeline.filter((entry) => entry.kind === 'omitted')
  const events = timeline.filter((entry) => entry.kind === 'event')
  assert.equal(events.length, 500)
  // Its creation and the updates, and what the checks changed.
  assert.deepEqual(Object.fromEntries(omitted.map(({ of, count }) => [of, count])), {
    event: 26 + events.filter(({ event }) => 'verdict' in event.changes).length,
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
