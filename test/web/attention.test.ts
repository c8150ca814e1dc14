import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Request } from 'playwright-core'
import { blank, openPage } from '../support/browser.ts'
import { hold } from '../support/held.ts'

test('runs of one spec are one row, which is opened, and decided at once', async (t) => {
  const { client, home, page, advance } = await openPage(t, blank)
  for (let n = 1; n <= 245; n++) {
    await client.createRun({ runId: `R-${n}`, title: `Try ${n}`, status: 'failed', specId: 'AUTH-001' })
  }
  advance(1)
  await client.createRun({ runId: 'OTHER', title: 'Other', status: 'failed' })
  await client.createRun({ title: 'Not checked', status: 'completed' })
  const at = new Date(Date.now() - 14 * 86_400_000 - 1000).toISOString()
  await client.createRun({ title: 'Too old', status: 'completed', createdAt: at, startedAt: at, endedAt: at })
  await page.goto(`${home}#/`)
  const needs = page.getByRole('region', { name: 'Needs attention' })
  await needs.getByRole('heading', { name: 'Needs attention 246', exact: true }).waitFor()
  await needs.getByRole('link', { name: '1 completed, not checked' }).waitFor()
  const rows = needs.locator('> .rows > .brief')
  assert.equal(await rows.count(), 2)
  await needs.getByRole('button', { name: 'Show all 245 runs of spec AUTH-001' }).click()
  await needs.getByRole('link', { name: 'Try 1', exact: true }).waitFor()
  await needs.getByRole('button', { name: 'Resolve R-1', exact: true }).click()
  await needs.getByRole('heading', { name: 'Needs attention 245', exact: true }).waitFor()
  await needs.getByRole('button', { name: 'Resolve all 244 runs of AUTH-001' }).click()
  await needs.getByRole('heading', { name: 'Needs attention 1', exact: true }).waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await needs.getByRole('heading', { name: 'Needs attention 245', exact: true }).waitFor()
  await needs.getByRole('link', { name: '1 completed, not checked' }).click()
  await page.locator('table.runs[aria-rowcount="2"] .title', { hasText: 'Not checked' }).waitFor()
})

test('whoever takes back that they took a row leaves its runs to those who had them', async (t) => {
  const { client, page, home } = await openPage(t, blank, { person: 'Ada <ada@example.com>' })
  const [ada, ben] = ['Ada <ada@example.com>', 'Ben <ben@example.com>']
  const runIds = ['R-1', 'R-2', 'R-3', 'R-4', 'R-5']
  for (const runId of runIds) await client.createRun({ runId, status: 'failed', specId: 'AUTH-001' })
  await client.updateAttention({ runIds: ['R-1', 'R-3'], assignee: ben })
  await client.updateAttention({ runIds: ['R-4'], assignee: ada })
  const assignees = async () => {
    const { attention = [] } = await client.listAttention({ runId: runIds })
    return attention.map(({ runId, assignee }) => [runId, assignee]).sort()
  }
  const before = await assignees()
  await page.goto(`${home}#/`)
  const take = page.getByRole('button', { name: 'Assign to me all 5 runs of AUTH-001' })
  await take.click()
  const undo = page.getByRole('button', { name: 'Undo' })
  await undo.waitFor()
  assert.deepEqual(
    await assignees(),
    runIds.map((runId) => [runId, ada]),
  )
  await undo.click()
  await undo.waitFor({ state: 'detached' })
  assert.deepEqual(await assignees(), before)

  await client.updateAttention({ runIds: ['R-5'], assignee: ada })
  await page.getByText('assigned to Ada').waitFor()
  await take.waitFor()
})

test('whoever has a run can give it up later', async (t) => {
  const { client, page, home } = await openPage(t, blank, { person: 'Ada <ada@example.com>' })
  await client.createRun({ runId: 'A', status: 'failed' })
  await client.updateAttention({ runIds: ['A'], assignee: 'Ada <ada@example.com>' })
  await page.goto(`${home}#/`)
  const unassign = page.getByRole('button', { name: 'Unassign A', exact: true })
  await unassign.click()
  await page.getByRole('button', { name: 'Assign to me A', exact: true }).waitFor()
  const { attention = [] } = await client.listAttention({ runId: 'A' })
  assert.deepEqual(
    attention.map(({ assignee }) => assignee),
    [null],
  )
  await page.getByRole('button', { name: 'Undo' }).click()
  await unassign.waitFor()
})

test('a person takes a run, and puts one off', async (t) => {
  const { client, page, logIn, home } = await openPage(t, '', { permissions: [] })
  const { secret } = await client.createKey({ name: 'ada', permissions: ['write'], person: 'Ada <ada@example.com>' })
  await client.createRun({ runId: 'A', title: 'Taken', status: 'failed', author: 'Ben <ben@example.com>' })
  await client.createRun({ runId: 'B', title: 'Later', status: 'failed' })
  await logIn(secret)
  await page.goto(`${home}?again#/`)
  const needs = page.getByRole('region', { name: 'Needs attention' })
  await needs.getByRole('button', { name: 'Assign to me A', exact: true }).click()
  await needs.getByText('assigned to Ada').waitFor()
  await needs.getByText('Ben', { exact: true }).waitFor()
  const menu = needs.locator('summary', { hasText: 'Put off B' })
  await menu.focus()
  for (const key of ['Enter', 'Tab', 'ArrowDown', 'Tab', 'Enter']) await page.keyboard.press(key)
  const later = needs.getByRole('link', { name: 'Later' })
  await later.waitFor({ state: 'detached' })
  const focused = page.locator(':focus')
  await focused.and(page.getByRole('button', { name: 'Undo' })).press('Enter')
  await focused.and(needs.getByRole('link', { name: 'Taken' })).waitFor()
  await later.waitFor()
  await menu.click()
  await needs.getByRole('button', { name: 'until next week' }).click()
  await later.waitFor({ state: 'detached' })
  await needs.getByText('Put off and resolved').click()
  await needs.getByText(/^Until \w{3} \d+, \d{4}, 8:00\sAM$/).waitFor()
  await needs.getByRole('button', { name: 'Reopen B' }).click()
  await needs.getByRole('button', { name: 'Resolve B', exact: true }).waitFor()
  const { attention = [] } = await client.listAttention({ assignee: 'ada@example.com' })
  assert.deepEqual(
    attention.map(({ runId }) => runId),
    ['A'],
  )

  await needs.getByRole('link', { name: 'Taken' }).click()
  const main = page.getByRole('main')
  await main.getByText('assigned to Ada').waitFor()
  await client.updateAttention({ runIds: ['A'], resolved: true, note: 'The test is flaky.' })
  await main.getByText('Resolved by first admin').waitFor()
  await main.getByText('The test is flaky.').waitFor()

  await client.updateRun({ runId: 'B', status: 'completed' })
  await page.goto(`${home}#/activity?view=events&type=attention.created&type=attention.updated&type=attention.cleared`)
  const lines = page.locator('.activity li > div')
  await lines.nth(8).waitFor()
  const told = (await lines.allTextContents()).map((line) => line.trim())
  const sentences = [
    /^B no longer needs attention in default/,
    /^first admin resolved what needed attention in A in default/,
    ...[/^ada reopened B in default/, /^ada put off B until \w{3} \d+, \d{4}, 8:00\sAM in default/],
    ...[/^ada reopened B in default/, /^ada put off B until \w{3} \d+, \d{4}, 8:00\sAM in default/],
    /^ada assigned A to Ada in default/,
    /^B needs attention: it failed in default/,
    /^A needs attention: it failed in default/,
  ]
  for (const [at, sentence] of sentences.entries()) assert.match(told[at] ?? '', sentence)
})

test('the page of a run that is put off says until when, and not how long ago that is', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ runId: 'A', title: 'Later', status: 'failed' })
  const until = new Date(Date.now() + 5 * 86_400_000).toISOString()
  await client.updateAttention({ runIds: ['A'], until })
  await page.goto(`${home}#/runs/default/A`)
  await page.getByText(/^Put off until \w{3} \d+, \d{4}, \d+:\d\d\s[AP]M$/).waitFor()
})

test('what was put off stays in its list while it cannot be read again', async (t) => {
  const { page, client, home, live } = await openPage(t, blank)
  for (const runId of ['A', 'B']) await client.createRun({ runId, title: `Red ${runId}`, status: 'failed' })
  await client.updateAttention({ runIds: ['A'], resolved: true })
  await page.goto(`${home}#/`)
  const needs = page.getByRole('region', { name: 'Needs attention' })
  await needs.getByText('Put off and resolved').click()
  await needs.getByRole('link', { name: 'Red A' }).waitFor()
  await live
  await page.route(/\/attention\?.*state=(put-off|resolved)/, (route) =>
    route.fulfill({ status: 500, json: { error: 'Sorry', code: 'INTERNAL_ERROR' } }),
  )
  await client.updateAttention({ runIds: ['B'], resolved: true })
  await needs.getByRole('alert').getByText('Sorry').first().waitFor()
  await needs.getByRole('link', { name: 'Red A' }).waitFor()
})

test('what finished last stands first, however long ago it began', async (t) => {
  const { page, client, advance } = await openPage(t)
  const startedAt = new Date(Date.now() - 7_200_000).toISOString()
  await client.createRun({ runId: 'LONG', title: 'Long', status: 'in_progress', createdAt: startedAt, startedAt })
  for (let n = 1; n <= 10; n++) {
    const at = new Date(Date.parse(startedAt) + n).toISOString()
    await client.createRun({ title: `Short ${n}`, status: 'completed', createdAt: at, startedAt: at, endedAt: at })
  }
  await client.createRun({ title: 'Other', status: 'completed' })
  // Runs that ended in the same millisecond would stand in the order of their creation.
  advance(1)
  await client.updateRun({ runId: 'LONG', status: 'completed' })
  const titles = page.getByRole('region', { name: 'Recently finished' }).locator('.title')
  await titles.getByText('Long').waitFor()
  assert.deepEqual((await titles.allTextContents()).slice(0, 4), ['Long', 'Other', 'Short 10', 'Short 9'])
  assert.equal(await titles.count(), 10)
})

test('what finished last stands first, however many runs were created since and ended before', async (t) => {
  const { client, home, page } = await openPage(t, blank)
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
  const begun = { createdAt: hoursAgo(48), startedAt: hoursAgo(48) }
  await client.createRun({ ...begun, title: 'Long', status: 'completed', endedAt: hoursAgo(0) })
  const short = { createdAt: hoursAgo(3), startedAt: hoursAgo(3), endedAt: hoursAgo(2) }
  for (let n = 1; n <= 100; n++) await client.createRun({ ...short, status: 'completed' })
  await page.goto(`${home}#/`)
  const ended = page.getByRole('region', { name: 'Recently finished' }).locator('.title')
  await ended.nth(9).waitFor()
  assert.equal(await ended.first().textContent(), 'Long')
})

test('a run needs attention again once its agent, of whose activity no event tells, has stopped', async (t) => {
  const { page, client, home, live } = await openPage(t, blank)
  await client.createRun({ runId: 'A', title: 'Red', status: 'in_progress' })
  await client.createCheck({ runId: 'A', result: 'fail' })
  await client.heartbeat({ runId: 'A', activity: { state: 'working' } })
  await page.goto(`${home}#/`)
  const needs = page.getByRole('region', { name: 'Needs attention' })
  await needs.getByText('Nothing needs attention.').waitFor()
  await live
  await client.createRun({ title: 'Failed', status: 'failed' })
  await needs.getByRole('link', { name: 'Failed' }).waitFor()
  await client.heartbeat({ runId: 'A', activity: { state: 'idle' } })
  await needs.getByRole('link', { name: 'Red' }).waitFor({ timeout: 20_000 })
})

test('a decision can be undone again as long as undoing it fails', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ runId: 'A', title: 'Red', status: 'failed' })
  await page.clock.install()
  await page.goto(`${home}#/`)
  const needs = page.getByRole('region', { name: 'Needs attention' })
  await needs.getByRole('button', { name: 'Resolve A' }).click()
  const undo = needs.getByRole('button', { name: 'Undo' })
  await undo.waitFor()
  const refusal = { status: 500, json: { error: 'The disk is on fire.', code: 'INTERNAL_ERROR' } }
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await page.route('**/v1/attention*', async (route) => {
    if (route.request().method() === 'GET') return route.fallback()
    asked.resolve()
    await answer.promise
    await route.fulfill(refusal)
  })
  await undo.click()
  await asked.promise
  await page.clock.runFor(15_000)
  assert.equal(await undo.count(), 1, 'the request is under way')
  answer.resolve()
  await needs.getByText('The disk is on fire.').waitFor()
  await page.clock.runFor(15_000)
  await page.unroute('**/v1/attention*')
  await undo.click()
  await needs.getByRole('link', { name: 'Red' }).waitFor()
  await undo.waitFor({ state: 'detached' })
})

test('the offer to undo a decision can be closed once undoing it has failed', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (const runId of ['A', 'B']) await client.createRun({ runId, title: `Red ${runId}`, status: 'failed' })
  await page.goto(`${home}#/`)
  await page.getByRole('button', { name: 'Resolve A' }).click()
  const bar = page.locator('.picks')
  await bar.getByText('A: resolved.').waitFor()
  const refusal = { status: 500, json: { error: 'The disk is on fire.', code: 'INTERNAL_ERROR' } }
  await page.route('**/v1/attention*', (route) =>
    route.request().method() === 'GET' ? route.fallback() : route.fulfill(refusal),
  )
  await bar.getByRole('button', { name: 'Undo' }).click()
  await bar.getByText('The disk is on fire.').waitFor()
  await bar.getByRole('button', { name: 'Close' }).click()
  await bar.waitFor({ state: 'detached' })
})

test('a late answer to an undone decision leaves the next decision to be undone', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (const runId of ['A', 'B']) await client.createRun({ runId, title: `Red ${runId}`, status: 'failed' })
  await page.goto(`${home}#/`)
  const needs = page.getByRole('region', { name: 'Needs attention' })
  const undo = needs.getByRole('button', { name: 'Undo' })
  await needs.getByRole('button', { name: 'Resolve A' }).click()
  await needs.getByText('A: resolved.').waitFor()
  const isWrite = (request: Request) => request.method() === 'PATCH'
  const held = await hold(page, isWrite, 1)
  await undo.click()
  const first = await held.asked
  await needs.getByRole('button', { name: 'Resolve B' }).click()
  await needs.getByText('B: resolved.').waitFor()
  const answered = page.waitForResponse((response) => response.request() === first)
  await held.release()
  await answered
  await needs.getByRole('button', { name: 'Resolve A' }).waitFor()
  await undo.and(page.locator(':focus')).press('Enter')
  await needs.getByRole('button', { name: 'Resolve B' }).waitFor()
})

test('a list of decisions goes on to its end, and a list of needs says that it is cut', async (t) => {
  const { client, home, page } = await openPage(t, blank)
  const runIds = Array.from({ length: 101 }, (_, n) => `R-${n}`)
  for (const runId of runIds) await client.createRun({ runId, status: 'failed' })
  await page.goto(`${home}#/`)
  const needs = page.getByRole('region', { name: 'Needs attention' })
  await needs.getByRole('button', { name: '80 more' }).click()
  await needs.getByText('These are the newest 100.').waitFor()
  const until = new Date(Date.now() + 86_400_000).toISOString()
  await client.updateAttention({ runIds: runIds.slice(0, 1), until })
  await needs.getByText('These are the newest 100.').waitFor({ state: 'detached' })
  await client.updateAttention({ runIds: runIds.slice(1), until })
  await needs.getByText('Put off and resolved').click()
  await needs.getByRole('button', { name: 'Reopen R-100' }).waitFor()
  await needs.getByRole('button', { name: 'Show more' }).click()
  await needs.getByRole('button', { name: 'Reopen R-0', exact: true }).click()
  await needs.getByRole('button', { name: 'Resolve R-0', exact: true }).waitFor()
})

test('on a phone, a decision about a branch with a long name can be undone', async (t) => {
  const { page, client, home } = await openPage(t, blank, { viewport: { width: 360, height: 740 } })
  const git = { branch: `fix/${'long'.repeat(30)}` }
  for (const runId of ['A', 'B']) await client.createRun({ runId, status: 'failed', git })
  await page.goto(`${home}#/`)
  await page.getByRole('button', { name: 'Resolve all 2 runs' }).click()
  const undo = page.getByRole('button', { name: 'Undo' })
  await undo.waitFor()
  const { x = 0, width = 0 } = (await undo.boundingBox()) ?? {}
  assert.ok(x >= 0 && x + width <= 360, `from ${x} to ${x + width}`)
})

test('a row can be taken as long as one of its runs, also of those that it hides, is not yours', async (t) => {
  const { client, page, home } = await openPage(t, blank, { person: 'Ada <ada@example.com>' })
  const runIds = ['R-1', 'R-2', 'R-3', 'R-4']
  for (const runId of runIds) await client.createRun({ runId, status: 'failed', specId: 'AUTH-001' })
  await client.updateAttention({ runIds: runIds.slice(1), assignee: 'Ada <ada@example.com>' })
  await page.goto(`${home}#/`)
  await page.getByRole('button', { name: 'Assign to me all 4 runs of AUTH-001' }).click()
  await page.getByRole('button', { name: 'Undo' }).waitFor()
  const { attention = [] } = await client.listAttention({ assignee: 'ada@example.com' })
  assert.equal(attention.length, 4)
})
