import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { createClient } from '../../src/client/client.ts'
import { blank, openPage } from '../support/browser.ts'
import { adminKey } from '../support/server.ts'

/** Waits until a midnight is past that comes within a minute, where the tests run and the browser is. */
const passMidnight = async () => {
  const leftMs = new Date().setHours(24, 0, 0, 0) - Date.now()
  if (leftMs < 60_000) await setTimeout(leftMs)
}

test('activity shows events as they happen, as sentences, filtered by the address', async (t) => {
  const { page, client, home } = await openPage(t, '#/activity?type=run.created&type=run.updated')
  await page.getByText('No events match these filters').waitFor()
  await client.createRun({ title: 'Add a limit' })
  const lines = page.locator('.activity li')
  await lines.filter({ hasText: 'created run RUN-001' }).waitFor()
  await client.updateRun({ runId: 'RUN-001', status: 'completed' })
  const completed = lines.filter({ hasText: 'completed run RUN-001' })
  await completed.getByText('status', { exact: true }).click()
  await completed.getByText('Pending → Completed').waitFor()
  await client.updateRun({ runId: 'RUN-001', status: 'failed', failure: { code: 'X', message: 'Out of memory' } })
  await lines.filter({ hasText: 'ended run RUN-001 as failed, Out of memory' }).waitFor()
  await client.createSpec({ specId: 'A-1', title: 'Hidden' })
  await page.getByLabel('Subject').fill('RUN-001')
  await client.createRun({ title: 'Second' })
  await lines.filter({ hasText: 'RUN-002' }).waitFor()
  assert.equal(await lines.count(), 4)

  assert.equal(await page.getByLabel('Subject').inputValue(), 'RUN-001', 'an event leaves what is being typed')
  await page.getByLabel('Subject').press('Enter')
  await lines.filter({ hasText: 'RUN-002' }).waitFor({ state: 'detached' })
  assert.equal(page.url(), `${home}#/activity?type=run.created&type=run.updated&subject=RUN-001`)
  await page.getByRole('button', { name: 'Clear' }).click()
  await lines.filter({ hasText: 'created spec A-1' }).waitFor()
  await lines.filter({ hasText: 'created key' }).first().waitFor()
  await page.getByRole('link', { name: 'A-1' }).click()
  await page.getByRole('heading', { name: 'Hidden' }).waitFor()
})

test('activity tells by day what came of the work, and has every event behind a link', async (t) => {
  await passMidnight()
  const { page, client, home } = await openPage(t, blank)
  const [ada, mateo] = ['Ada Lund <ada@example.com>', 'Mateo Ruiz <mateo@example.com>']
  const at = new Date(Date.now() - 9 * 86_400_000).toISOString()
  const past = { createdAt: at, startedAt: at, endedAt: at }
  await client.createRun({ ...past, title: 'Long ago', agent: 'codex', author: ada, status: 'completed' })
  const midnight = new Date(new Date().setHours(0, 0, 0, 0)).toISOString()
  const atMidnight = { createdAt: midnight, startedAt: midnight, endedAt: midnight }
  await client.createRun({ ...atMidnight, runId: 'FIRST', title: 'Back up', author: ada, status: 'completed' })
  const { run } = await client.createRun({
    title: 'Log in',
    agent: 'claude-code',
    author: mateo,
    status: 'in_progress',
  })
  await client.appendTurn({ runId: run.runId, prompt: 'Log in', answer: '**Done**: the form has a button.\n\nMore.' })
  await client.updateRun({ runId: run.runId, status: 'completed', labels: { a: 'b' } })
  await client.createCheck({ runId: run.runId, name: 'tests', result: 'pass', command: 'npm test', exitCode: 0 })
  const failure = { code: 'QUOTA', message: 'The limit is used up.\nMore.' }
  await client.createRun({ title: 'Sync', agent: 'codex', author: ada, status: 'failed', failure })
  await client.createSpec({ specId: 'A-1', title: 'Passkeys' })
  await client.updateSpec({ specId: 'A-1', status: 'completed' })
  await client.createRun({ title: 'Deploy', author: 'Ben Müller <ben@example.com>', status: 'completed' })
  await client.createProject({ slug: 'shop' })
  const shop = createClient({ url: home.slice(0, -1), key: adminKey, project: 'shop' })
  await shop.createRun({ title: 'Sell', status: 'failed', failure: { code: 'X', message: 'long '.repeat(600) } })
  for (const name of ['lint', 'types']) await client.createCheck({ runId: 'RUN-003', name, result: 'fail' })
  await shop.createCheck({ runId: 'RUN-001', name: 'lint', result: 'fail' })
  for (const specId of ['B-1', 'B-2', 'B-3', 'B-4']) await shop.createSpec({ specId, title: specId })
  await page.goto(`${home}#/activity`)

  const today = page.getByRole('region', { name: 'Today' }).getByRole('listitem')
  await today.filter({ hasText: 'first admin recorded 2 failed checks in default' }).waitFor()
  await today.filter({ hasText: 'first admin created 4 specs in shop' }).waitFor()
  await page.getByText("Ada Lund's codex finished default / RUN-001 · Long ago").waitFor()
  await today.filter({ hasText: 'moved spec A-1 to Completed in default' }).waitFor()
  const finished = "Mateo Ruiz's claude-code finished default / RUN-002 · Log in"
  await today.filter({ hasText: finished }).getByText('Verified').waitFor()
  await today.filter({ hasText: finished }).getByText('Done: the form has a button.').waitFor()
  await today.filter({ hasText: '· Deploy finished' }).getByText('Unchecked').waitFor()
  const told = await today.locator('p:has(.outcome)').allInnerTexts()
  assert.deepEqual(told, [
    `Run shop / RUN-001 · Sell failed\nX: ${'long '.repeat(40).slice(0, 196)}…`,
    "Ben Müller's run default / RUN-004 · Deploy finished",
    "Ada Lund's codex failed in default / RUN-003 · Sync\nQUOTA: The limit is used up.",
    `${finished}\nDone: the form has a button.`,
    "Ada Lund's run default / FIRST · Back up finished",
  ])
  await page.getByRole('link', { name: 'All events' }).click()
  await page.locator('.activity li', { hasText: 'recorded check CHECK-001 “tests”' }).waitFor()
  await page.goto(`${home}#/activity?project=shop`)
  await today.filter({ hasText: 'Run RUN-001 · Sell failed' }).waitFor()
})

/** Noon so many days ago, where the tests run and the browser is. */
const noon = (daysAgo: number) => {
  const day = new Date()
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() - daysAgo, 12).toISOString()
}

test('activity leaves out no day, however many runs were created after one that ended on it', async (t) => {
  await passMidnight()
  const { page, client, home } = await openPage(t, blank)
  const run = (title: string, from: number, to: number) =>
    client.createRun({ title, status: 'completed', createdAt: noon(from), startedAt: noon(from), endedAt: noon(to) })
  await run('Before', 6, 6)
  await run('Long', 5, 3)
  for (let n = 0; n < 100; n++) await run(`Short ${n}`, 4, 4)
  await page.goto(`${home}#/activity`)
  const days = page.locator('section.day')
  await days.nth(2).getByText('Short 99').waitFor()
  await days.nth(1).getByText('Long').waitFor()
  await page.getByRole('button', { name: 'Show an earlier day' }).click()
  await days.nth(3).getByText('Before').waitFor()
  await days
    .nth(3)
    .getByRole('link', { name: /Before/ })
    .click()
  await page.getByRole('heading', { level: 1, name: 'Before' }).waitFor()
  await page.goBack()
  await days.nth(3).getByText('Before').waitFor()
})

const ofNews = (url: URL) => url.searchParams.getAll('type').includes('spec.created')

test('activity shows a day at once, so that no line moves another one under the pointer', async (t) => {
  await passMidnight()
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'Done', status: 'completed' })
  await client.createSpec({ specId: 'A-1', title: 'New', status: 'pending' })
  const { promise: come, resolve: letCome } = Promise.withResolvers<void>()
  await page.route(ofNews, async (route) => {
    await come
    await route.continue()
  })
  const ended = page.waitForResponse((response) => new URL(response.url()).searchParams.has('endedBefore'))
  await page.goto(`${home}#/activity`)
  await (await ended).finished()
  await page.getByRole('region', { name: 'Today' }).getByText('Loading …').waitFor({ state: 'attached' })
  assert.equal(await page.locator('.feed li').count(), 0)
  letCome()
  await page.locator('.feed li', { hasText: 'Done' }).waitFor()
  assert.equal(await page.locator('.feed li').count(), 2)
})

test('activity shows a failed check however many checks passed after it', async (t) => {
  await passMidnight()
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ runId: 'R-1', status: 'completed' })
  const check = (result: 'pass' | 'fail') => client.createCheck({ runId: 'R-1', name: 'tests', result })
  await check('fail')
  for (let n = 0; n < 505; n++) await check('pass')
  await page.goto(`${home}#/activity`)
  const today = page.getByRole('region', { name: 'Today' }).getByRole('listitem')
  await today.filter({ hasText: 'recorded check CHECK-001' }).waitFor()
  assert.equal(await page.getByText(/^Before .* not shown here/).count(), 0)
})

test('activity says from when on it knows failed checks, if it does not read all events', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ runId: 'R-1', status: 'completed' })
  await client.createCheck({ runId: 'R-1', name: 'tests', result: 'pass' })
  let pages = 0
  await page.route(ofNews, async (route) => {
    const response = await route.fetch({ headers: { ...route.request().headers(), 'sec-fetch-site': 'same-origin' } })
    const { events } = await response.json()
    pages++
    await route.fulfill({ response, json: { events, meta: { hasMore: true, lastSeq: 9999 } } })
  })
  await page.goto(`${home}#/activity`)
  await page.getByText(/^Before \w+ \d+, \d{4}, .*, failed checks .* not shown here/).waitFor()
  assert.ok(pages >= 20)
})

test('activity that could not find earlier days looks for them again', async (t) => {
  const { page, client, home, live } = await openPage(t, blank)
  await client.createRun({
    title: 'Old',
    status: 'completed',
    createdAt: noon(9),
    startedAt: noon(9),
    endedAt: noon(9),
  })
  // A page that begins to receive events reads again by itself.
  await page.goto(home)
  await live
  const earlier = (url: URL) => url.searchParams.has('endedBefore') && !url.searchParams.has('endedAfter')
  await page.route(earlier, (route) =>
    route.fulfill({ status: 500, json: { error: 'The disk is on fire.', code: 'INTERNAL_ERROR' } }),
  )
  await page.goto(`${home}#/activity`)
  await page.getByText('The disk is on fire.').waitFor()
  await page.unroute(earlier)
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('Old').waitFor()
  await page.getByText('The disk is on fire.').waitFor({ state: 'detached' })
})

test('at midnight, activity begins a new day', async (t) => {
  await passMidnight()
  const { page, client, home, advance } = await openPage(t, blank)
  let aheadMs = 0
  await page.clock.install()
  await page.route(/\/v1\//, async (route) => {
    if (route.request().headers().accept === 'text/event-stream') return route.continue()
    const response = await route.fetch()
    const date = new Date(Date.now() + aheadMs).toUTCString()
    await route.fulfill({ response, headers: { ...response.headers(), date } })
  })
  await client.createRun({ title: 'Before', status: 'completed' })
  await page.goto(`${home}#/activity`)
  await page.getByRole('region', { name: 'Today' }).getByText('Before').waitFor()
  aheadMs = 86_400_000
  advance(aheadMs)
  await client.createRun({ title: 'After', status: 'completed' })
  await page.clock.fastForward(aheadMs)
  await page.getByRole('region', { name: 'Today' }).getByText('After').waitFor()
  await page.getByRole('region', { name: 'Yesterday' }).getByText('Before').waitFor()
  // Requests on their way would end in an error after the test.
  await page.unrouteAll({ behavior: 'ignoreErrors' })
})

test('activity names the changed fields, and links a turn in its session', async (t) => {
  const { page, client } = await openPage(t, '#/activity?view=events')
  await client.createRun({ title: 'Add a limit', status: 'completed' })
  await client.createCheck({ runId: 'RUN-001', name: 'tests', result: 'fail' })
  const judged = page.locator('.activity li', { hasText: 'now Failing' })
  assert.match((await judged.textContent()) ?? '', /The verdict of run RUN-001 is now Failing in default/)
  assert.equal(await judged.locator('summary').textContent(), 'verdict, why')
  await judged.locator('summary').click()
  await judged.locator('code', { hasText: /^tests$/ }).waitFor()
  for (const assignee of ['Ada <ada@example.com>', null])
    await client.updateAttention({ runIds: ['RUN-001'], assignee })
  await page.locator('.activity li', { hasText: 'unassigned RUN-001 from Ada' }).waitFor()
  await client.appendTurn({ runId: 'RUN-001', prompt: 'Add a limit', answer: 'Done.' })
  const turn = page.locator('.activity li', { hasText: 'created turn' })
  assert.equal(await turn.locator('summary').textContent(), 'prompt, answer')
  await turn.getByRole('link', { name: 'RUN-001/1' }).click()
  await page.locator('#turn-1.marked').waitFor()
  await page.getByRole('link', { name: 'Timeline' }).click()
  await page.locator('.timeline li', { hasText: /The verdict is now Failing/ }).waitFor()
  await page.goto(page.url().replace(/#.*/, '#/activity?type=turn.created'))
  await page.locator('.activity li', { hasText: 'created turn' }).waitFor()
})

test('every row says when, to the second, and all types of events are offered', async (t) => {
  const { page, client } = await openPage(t, '#/activity?view=events&type=run.rejudged', { timezoneId: 'Asia/Tokyo' })
  const { run } = await client.createRun({ title: 'Add a limit' })
  await page.getByText('No events match these filters').waitFor()
  await page.getByText('Type', { exact: false }).first().click()
  await page.getByRole('checkbox', { name: 'run rejudged' }).click()
  const row = page.locator('.activity li', { hasText: 'created run RUN-001' })
  const at = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'Asia/Tokyo' })
  await row.getByText(at.format(new Date(run.createdAt)), { exact: true }).waitFor()
})

/** The numbers of the features in the events on the page. */
const shownOn = (page: Page) =>
  page.evaluate(() => Array.from(document.querySelectorAll('.activity li a'), ({ textContent }) => Number(textContent)))

/** Waits until the page no longer scrolls. */
const restOf = (page: Page) =>
  page.evaluate(async () => {
    for (let still = 0, before = -1; still < 10; still = before === scrollY ? still + 1 : 0) {
      before = scrollY
      await new Promise(requestAnimationFrame)
    }
  })

test('activity reads on in both directions as the user scrolls, and keeps a bounded part of the log', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const count = 800
  for (let n = 0; n < count; n += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, m) => client.createFeature({ name: `part ${n + m}` })))
  }
  await page.goto(`${home}#/activity?type=feature.created`)
  const lines = page.locator('.activity li')
  await lines.filter({ hasText: `feature ${count} ` }).waitFor()
  assert.ok((await shownOn(page)).length < 250)
  const seen = new Set<number>()
  const scrollTo = async (wanted: number, by: number) => {
    for (let shown = await shownOn(page); !shown.includes(wanted); shown = await shownOn(page)) {
      assert.ok(shown.length <= 500, `${shown.length} rows`)
      for (const one of shown) seen.add(one)
      await page.mouse.wheel(0, by)
      await page.evaluate(() => new Promise(requestAnimationFrame))
    }
    for (const one of await shownOn(page)) seen.add(one)
    await restOf(page)
  }
  await scrollTo(1, 2000)
  assert.equal((await shownOn(page)).includes(count), false)
  assert.equal(seen.size, count, 'each change was there once')

  const before = await lines.last().boundingBox()
  await client.createFeature({ name: 'one more' })
  await page.getByRole('button', { name: '1 new change' }).waitFor()
  assert.deepEqual(await lines.last().boundingBox(), before, 'what is read stays where it is')
  await scrollTo(count + 1, -2000)
  await page.getByRole('button', { name: '1 new change' }).waitFor({ state: 'detached' })

  await scrollTo(1, 2000)
  await page.getByRole('button', { name: 'Show the newest' }).click()
  await lines.first().getByText('one more').waitFor()
  assert.equal(await page.evaluate('scrollY'), 0)

  // On a slow line, the rows at the top of the window ask for newer ones before the newest page is there.
  await scrollTo(1, 2000)
  const newer = page.waitForResponse(/order=asc/)
  await page.route('**/v1/events?*order=desc*', async (route) => {
    await newer
    await route.continue()
  })
  await page.getByRole('button', { name: 'Show the newest' }).click()
  await lines.first().getByText('one more').waitFor()
  await page.waitForFunction(() => scrollY === 0)
  await page.unroute('**/v1/events?*order=desc*')

  await client.createFeature({ name: 'and another' })
  await lines.first().getByText('and another').waitFor()
})

test('activity keeps a bounded number of events, however many arrive', async (t) => {
  const { page, client } = await openPage(t, '#/activity?type=run.updated')
  await page.getByText('No events match these filters').waitFor()
  await client.createRun({ runId: 'A', status: 'in_progress' })
  // The labels differ each time, so the page does not combine events into one line.
  for (let n = 0; n < 1100; n += 20) {
    await Promise.all(
      Array.from({ length: 20 }, (_, m) => client.updateRun({ runId: 'A', labels: { n: String(n + m) } })),
    )
  }
  const lines = page.locator('.activity li')
  await page.getByRole('button', { name: 'Show older' }).waitFor({ state: 'attached' })
  assert.ok((await lines.count()) <= 500, String(await lines.count()))
})
