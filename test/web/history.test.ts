import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { createClient } from '../../src/client/client.ts'
import type { Event } from '../../src/log/fields.ts'
import type { TimelineEntry } from '../../src/nouns/run/timeline-fields.ts'
import { entriesOf, joined, type TurnEntry, withAppend } from '../../src/web/data/runs/history.ts'
import { blank, openPage } from '../support/browser.ts'

const timeOf = (second: number) => new Date(second * 1000).toISOString()
const turns = (from: number, to: number): TurnEntry[] =>
  Array.from({ length: to - from + 1 }, (_, n) => ({
    kind: 'turn',
    at: timeOf(from + n),
    turn: { n: from + n, title: null },
  }))
const eventAt = (second: number) => ({ seq: second, at: timeOf(second), changes: {} }) as unknown as Event
const shown = (second: number): TimelineEntry => ({ kind: 'event', at: timeOf(second), event: eventAt(second) })
const numbersOf = (some: TurnEntry[]) => some.map(({ turn }) => turn.n)

test('turns that were read twice, earlier or later are joined without gaps and doubles', () => {
  const cases: [known: TurnEntry[], read: TurnEntry[], first: number, last: number][] = [
    [[], turns(3, 5), 3, 5],
    [turns(3, 5), [], 3, 5],
    [turns(3, 5), turns(6, 7), 3, 7],
    [turns(3, 5), turns(1, 2), 1, 5],
    [turns(1, 6), turns(4, 8), 1, 8],
    [turns(4, 9), turns(2, 7), 2, 9],
    // 6 is unknown.
    [turns(3, 5), turns(7, 9), 7, 9],
    [turns(7, 9), turns(3, 5), 7, 9],
  ]
  for (const [known, read, first, last] of cases) {
    assert.deepEqual(numbersOf(joined(known, read)), numbersOf(turns(first, last)))
  }
})

test('a turn comes before the first change after it', () => {
  const entries = entriesOf({ others: [shown(1), shown(3), shown(10)], turns: turns(2, 5) })
  const words = entries.map((entry) => (entry.kind === 'turn' ? `turn ${entry.turn.n}` : Date.parse(entry.at) / 1000))
  assert.deepEqual(words, [1, 'turn 2', 3, 'turn 3', 'turn 4', 'turn 5', 10])
})

test('an append is counted once, in the last group or in a new one', () => {
  const counts = (entries: TimelineEntry[]) => entries.map((entry) => (entry.kind === 'appends' ? entry.appends : '-'))
  const one = withAppend([shown(1)], eventAt(2))
  const two = withAppend(one, eventAt(3))
  assert.deepEqual(counts(two), ['-', 2])
  assert.deepEqual(counts(withAppend(two, eventAt(3))), ['-', 2])
  assert.deepEqual(counts(withAppend([...two, shown(4)], eventAt(5))), ['-', 2, '-', 1])
  assert.deepEqual(withAppend([], eventAt(1)), [])
})

const turnsOn = (page: Page) =>
  page
    .locator('.timeline p', { hasText: /^turn \d/ })
    .evaluateAll((all) => all.map(({ textContent }) => Number(/\d+/.exec(textContent ?? '')?.[0])).reverse())
const upTo = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)

test('the timeline of a long run says how many turns it leaves out, and shows them', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { run } = await client.createRun({ title: 'A long way', status: 'in_progress' })
  const add = (n: number) => client.appendTurn({ runId: run.runId, prompt: `\n# Step ${n}\nGo on.`, answer: 'Done.' })
  for (let n = 1; n <= 650; n++) await add(n)
  await page.goto(`${home}#/runs/default/RUN-001?view=timeline`)
  const missing = page.locator('.timeline .missing')
  await missing.getByText('150 earlier turns are not shown').waitFor()
  assert.deepEqual(await turnsOn(page), upTo(151, 650))

  // Further turns leave no gap between them and what was shown.
  await add(651)
  await page.getByText('turn 651 Step 651').waitFor()
  await client.createCheck({ runId: run.runId, name: 'tests', result: 'pass' })
  await page.locator('.timeline').getByText('check tests').waitFor()
  assert.deepEqual(await turnsOn(page), upTo(151, 651))
  await missing.getByRole('button', { name: 'Show more' }).click()
  await missing.getByText(/^50 earlier turns are not shown/).waitFor()
  assert.deepEqual(await turnsOn(page), upTo(51, 651))
  await missing.getByRole('button', { name: 'Show more' }).click()
  await missing.waitFor({ state: 'detached' })
  assert.deepEqual(await turnsOn(page), upTo(1, 651))
  await page.getByText('turn 1 Step 1', { exact: true }).waitFor()

  await client.erase({ runId: run.runId })
  await page.getByText('turn 651 Step 651').waitFor({ state: 'detached' })
  await missing.getByText('151 earlier turns are not shown').waitFor()
})

test('the timeline follows a live run without reading it again', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { run } = await client.createRun({ title: 'At work', status: 'in_progress' })
  const other = (await client.createRun({ title: 'Another', status: 'in_progress' })).run
  await client.appendTurn({ runId: run.runId, prompt: 'Begin' })
  await client.updateRun({ runId: run.runId, labels: { team: 'web' } })
  await page.goto(`${home}#/runs/default/RUN-001?view=timeline`)
  const timeline = page.locator('.timeline')
  await timeline.getByText('turn 1').waitFor()
  const labels = timeline.locator('details', { hasText: 'labels' })
  await labels.locator('summary').click()
  // A change of another kind, after which everything is read again. At most one more reading is due then.
  await client.createCheck({ runId: run.runId, name: 'tests', result: 'pass' })
  await timeline.getByText('check tests').waitFor()
  let reads = 0
  page.on('request', (request) => {
    if (request.url().endsWith('/timeline')) reads++
  })
  for (let n = 2; n <= 4; n++) {
    await client.updateRun({ runId: other.runId, labels: { n: String(n) } })
    await client.createCheck({ runId: other.runId, name: 'lint', result: 'pass' })
    await client.appendTurn({ runId: run.runId, prompt: `Step ${n}` })
    await timeline.getByText(`turn ${n} Step ${n}`).waitFor()
  }
  for (let n = 0; n < 20; n++) await client.appendToRun({ runId: run.runId, text: `line ${n}\n` })
  await timeline.getByText('wrote 23 times').waitFor()
  assert.ok(reads <= 1, `${reads} readings`)
  assert.equal(await labels.getAttribute('open'), '')

  await client.createRun({ title: 'Again', retryOf: run.runId })
  await timeline.getByText('RUN-003').waitFor()
  await client.updateRun({ runId: 'RUN-003', status: 'completed' })
  await timeline.getByText('Completed').waitFor()
  await page.reload()
  await timeline.getByText('wrote 23 times').waitFor()
})

test('the resumption of a run whose lease expired is shown where it happened', async (t) => {
  const { page, client, home, advance } = await openPage(t, blank)
  const { run, lease } = await client.createRun({ title: 'Asleep', leaseSeconds: 60 })
  const write = (text: string) => client.appendToRun({ runId: run.runId, text, leaseToken: lease?.token })
  await write('before\n')
  await page.goto(`${home}#/runs/default/RUN-001?view=timeline`)
  const entries = page.locator('.timeline > li')
  await entries.getByText('wrote 1 time').waitFor()
  advance(61_000)
  for (const text of ['again\n', 'and again\n']) await write(text)
  const newest = [/^.*wrote 1 time$/, /^.*first admin resumed the run/, /^.*Conduct ended the run as failed/]
  for (const look of ['live', 'read again']) {
    await entries.getByText('resumed the run').waitFor()
    await page.waitForFunction(() => document.querySelectorAll('.timeline > li').length === 6)
    for (const [n, words] of newest.entries()) assert.match((await entries.nth(n).textContent()) ?? '', words, look)
    await page.reload()
  }
})

test('a turn that resumes a run is shown as the resumption', async (t) => {
  const { page, client, home, advance } = await openPage(t, blank)
  const { run, lease } = await client.createRun({ title: 'Asleep', leaseSeconds: 60 })
  const add = (prompt: string) => client.appendTurn({ runId: run.runId, prompt, leaseToken: lease?.token })
  await add('Begin')
  await page.goto(`${home}#/runs/default/RUN-001?view=timeline`)
  await page.locator('.timeline').getByText('turn 1 Begin').waitFor()
  advance(61_000)
  await add('Go on')
  for (const _ of ['live', 'read again']) {
    await page.locator('.timeline').getByText('resumed the run').waitFor()
    await page.reload()
  }
})

test('the timeline says who recorded a check, and how its result is known', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { runId } = (await client.createRun({ title: 'Checked', agent: 'claude-code' })).run
  await client.createCheck({ runId, name: 'lint', result: 'pass', agent: 'claude-code' })
  const { secret } = await client.createKey({ name: 'ci', permissions: ['write'] })
  await createClient({ url: home, key: secret }).createCheck({ runId, name: 'tests', result: 'pass' })
  await page.goto(`${home}#/runs/default/RUN-001?view=timeline`)
  const entry = (name: string) => page.locator('.timeline p', { hasText: `check ${name}` })
  await entry('lint').getByText('Claimed by its author · claude-code', { exact: true }).waitFor()
  await entry('tests').getByText('Checked by ci (independent)', { exact: true }).waitFor()
})

test('the timeline names what it leaves out besides turns, and the heading of the checks that these are not all', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { runId } = (await client.createRun({ title: 'Checked often' })).run
  for (let n = 0; n < 505; n++) await client.createCheck({ runId, result: 'pass' })
  await page.goto(`${home}#/runs/default/RUN-001?view=timeline`)
  await page.getByText('5 earlier checks are not shown here.').waitFor()
  await page.getByRole('heading', { name: 'Checks 1 pass among the newest 500' }).waitFor()
})
