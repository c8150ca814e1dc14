import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { blank, openPage } from '../support/browser.ts'
import { adminKey } from '../support/server.ts'
import { freePort } from '../support/setup.ts'

test('a new run appears as a lane, whose last line changes as the log grows', async (t) => {
  const { page, client } = await openPage(t)
  await page.getByText('Nothing is in progress').waitFor()
  const { run, lease } = await client.createRun({
    title: 'Mend the login',
    agent: 'claude-code',
    leaseSeconds: 60,
  })
  const lane = page.locator('.lane', { hasText: 'Mend the login' })
  await lane.getByText('claude-code').waitFor()
  await client.appendToRun({ runId: run.runId, text: 'first\nthen the tests\n', leaseToken: lease?.token })
  await lane.getByText('then the tests').waitFor()
  await client.updateRun({ runId: run.runId, status: 'completed', leaseToken: lease?.token })
  await lane.waitFor({ state: 'detached' })
  await page.getByRole('region', { name: 'Recently finished' }).getByText('Mend the login').waitFor()
})

test('the last line of a lane is what a terminal shows, also after the log was replaced by a shorter one', async (t) => {
  const { page, client } = await openPage(t)
  const long = '-'.repeat(3000)
  const content = `${long}\n\u001b[2K\u001b[32m✔ 11 passed\u001b[39m\r\u001b[32m✔ 12 passed\u001b[39m\r\n\u001b[0m`
  await client.createRun({ title: 'Test', status: 'in_progress', contentType: 'text/x-terminal', content })
  const line = page.locator('.lane .line')
  await line.getByText('passed').waitFor()
  assert.equal(await line.textContent(), '✔ 12 passed')
  await client.updateRun({ runId: 'RUN-001', content: 'begun again\n' })
  await line.getByText('begun again').waitFor()
})

test('a lane that is silent for longer than half its lease says so, and one without a lease is not at work', async (t) => {
  // A session does not outlive a clock that goes back, so it begins afterwards.
  const { client, advance, logIn, openTab } = await openPage(t, '', { permissions: [] })
  await client.createRun({ title: 'Patient', leaseSeconds: 3600 })
  // The clock is set back for this run, so the server last heard from it 16 minutes ago.
  advance(-1_000_000)
  await client.createRun({ title: 'Stuck', leaseSeconds: 1800 })
  await client.createRun({ title: 'Begun by hand', status: 'in_progress' })
  advance(1_000_000)
  await logIn(adminKey)
  const page = await openTab()
  await page.locator('.lane.quiet-too-long', { hasText: 'Stuck' }).getByText('silent 16m').waitFor()
  assert.equal(await page.locator('.lane.quiet-too-long').count(), 1)
  await page
    .locator('.lane', { hasText: 'Begun by hand' })
    .locator('.silence.idle', { hasText: 'silent 16m' })
    .waitFor()
})

test('the page of a run follows its log, its end and its checks', async (t) => {
  const { page, client } = await openPage(t, '#/runs/default/RUN-001')
  await page.getByText('There is no run RUN-001 in project default, or it was deleted.').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 0)
  await client.createRun({ title: 'Add a limit', status: 'in_progress', content: '# Plan\n\nRead the code.\n' })
  await page.getByRole('heading', { name: 'Plan' }).waitFor()
  await client.appendToRun({ runId: 'RUN-001', text: '\n- [x] the limiter\n' })
  await page.getByRole('listitem').getByText('the limiter').waitFor()
  await client.createCheck({ runId: 'RUN-001', name: 'tests', result: 'pass', command: 'npm test', exitCode: 0 })
  await page.getByText('Verified').first().waitFor()
  await page.locator('.standing').getByText('Claimed by its author').waitFor()
  await client.updateRun({ runId: 'RUN-001', status: 'completed', content: 'Something else.' })
  await page.locator('.standing').getByText('Completed').waitFor()
  await page.locator('.prose').getByText('Something else.').waitFor()
  assert.equal(await page.getByRole('heading', { name: 'Plan' }).count(), 0)
  await page.getByRole('link', { name: 'Timeline' }).click()
  await page.locator('.timeline').getByText('completed the run').waitFor()
})

test('changes during an interruption of the server appear afterwards', async (t) => {
  const { page, client, restart } = await openPage(t, '', { port: await freePort() })
  await client.createRun({ title: 'Before', status: 'in_progress' })
  await page.locator('.lane', { hasText: 'Before' }).waitFor()
  await restart(async () => {
    await page.getByText('Server unavailable since').waitFor()
  })
  await client.createRun({ title: 'Meanwhile', status: 'in_progress' })
  await page.locator('.lane', { hasText: 'Meanwhile' }).waitFor()
  await page.getByText('Live', { exact: true }).waitFor()
  await client.createRun({ title: 'After', status: 'in_progress' })
  await page.locator('.lane', { hasText: 'After' }).waitFor()
})

test('while the server is away, the page says since when, and an agent does not seem to go on working', async (t) => {
  const { page, client, home, restart } = await openPage(t, blank, { port: await freePort() })
  const { run } = await client.createRun({ title: 'At work', status: 'in_progress' })
  await client.heartbeat({ runId: run.runId, activity: { state: 'working', tool: 'Bash' } })
  await page.clock.install()
  await page.goto(home)
  const words = page.locator('.lane .silence')
  await words.getByText(/^working, \d+s$/).waitFor()
  await restart(async () => {
    await page.getByText(/^Server unavailable since \d+:\d\d [AP]M\. Trying again …$/).waitFor()
    await page.clock.fastForward('10:00')
    await page.clock.runFor(2000)
    assert.match((await words.textContent()) ?? '', /^working, \d+s$/)
  })
  await page.getByText('Live', { exact: true }).waitFor()
})

/** Waits until that many requests to the server have failed as often as the page tries them. */
async function failedReads(page: Page, count: number) {
  const tries = new Map<string, number>()
  while ([...tries.values()].filter((many) => many >= 5).length < count) {
    const url = (await page.waitForEvent('requestfailed', { timeout: 30_000 })).url()
    tries.set(url, (tries.get(url) ?? 0) + 1)
  }
}

test('what a page has read stays as it is while the server is away, and in its place beside another error', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ runId: 'A', title: 'At work', status: 'in_progress', content: 'Begun.\n' })
  await client.createRun({ runId: 'B', title: 'Ended', status: 'failed' })
  const api = /\/v1\/(?!events)/
  const places = () =>
    page.locator('main h2').evaluateAll((all) => all.map((it) => [it.textContent, it.getBoundingClientRect().y]))
  for (const [address, words] of [
    ['#/runs/default/A', 'Begun.'],
    ['#/', 'Recently finished'],
  ] as const) {
    await page.goto(home + address)
    await page.getByText(words).waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
    const before = await places()
    await page.route(api, (route) => route.abort())
    const failed = failedReads(page, 3)
    await client.appendTurn({ runId: 'A', prompt: 'Go on' })
    await client.createCheck({ runId: 'A', name: 'tests', result: 'pass' })
    await client.createRun({ title: 'Another', status: 'failed' })
    await failed
    await page.getByText('Server unavailable since').waitFor()
    assert.deepEqual(await page.locator('main .problem').allTextContents(), [])
    assert.deepEqual(await places(), before)
    await page.unroute(api)
  }
  await page.getByRole('link', { name: 'Another' }).first().waitFor()
  const ended = page.getByRole('heading', { name: 'Recently finished' })
  const place = await ended.boundingBox()
  await page.route(/status=completed&status=failed/, (route) => route.fulfill({ status: 500, body: 'Sorry' }))
  await client.createRun({ title: 'One more', status: 'failed' })
  await page.locator('main .problem').first().waitFor()
  assert.deepEqual(await ended.boundingBox(), place)
})

test('a page says that the server was updated since it was opened, and not that it only restarted', async (t) => {
  const { page, context, client, home, restart } = await openPage(t, '', { port: await freePort() })
  const live = page.getByText('Live', { exact: true })
  const updated = page.getByText('The server was updated.')
  const away = () => page.getByText('Server unavailable since').waitFor()
  await live.waitFor()
  const asked = page.waitForResponse(home, { timeout: 60_000 })
  await restart(async () => {
    await away()
    await context.route(home, (route) => route.fulfill({ contentType: 'text/html', body: '<h1>Soon back</h1>' }))
  })
  await asked
  await live.waitFor()
  assert.equal(await updated.count(), 0)
  const unheard = Promise.withResolvers<void>()
  await restart(async () => {
    await away()
    await context.unroute(home)
    let looks = 0
    await context.route(home, async (route) => {
      if (looks++ === 0) return unheard.resolve(route.abort())
      const body = await (await route.fetch()).text()
      await route.fulfill({
        contentType: 'text/html',
        body: body.replace(/assets\/index-[\w-]+\.js/, 'assets/index-newer.js'),
      })
    })
  })
  // The next news makes up for it.
  await unheard.promise
  await client.createFeature({ name: 'limits' })
  await updated.waitFor()
  await context.unroute(home)
  await page.getByRole('button', { name: 'Reload the page' }).click()
  await live.waitFor()
  assert.equal(await updated.count(), 0)
})

test('one odd answer to the request for events does not end the live updates', async (t) => {
  const { page, client, context, restart } = await openPage(t, '#/runs', { port: await freePort() })
  await page.getByText('No runs yet').waitFor()
  let asked = 0
  await context.route('**/v1/events*', (route) => {
    asked++
    return route.fulfill({ status: asked === 1 ? 404 : 521, contentType: 'text/html', body: '<h1>Who is there?</h1>' })
  })
  await restart(async () => {
    await page.getByText('Server unavailable since').waitFor()
  })
  while (asked < 2) await page.waitForRequest('**/v1/events*')
  await context.unroute('**/v1/events*')
  await page.getByText('Live', { exact: true }).waitFor()
  await client.createRun({ title: 'Afterwards' })
  await page.getByRole('link', { name: 'Afterwards' }).waitFor()
})

test('the tabs of a browser share one stream, and another tab takes over when the one with the stream closes', async (t) => {
  const { page, client, context, openTab } = await openPage(t)
  const holders: Page[] = []
  context.on('request', (request) => {
    if (request.headers().accept === 'text/event-stream') holders.push(request.frame().page())
  })
  // Once this text is visible, the page holds the stream.
  await page.getByText('Nothing is in progress').waitFor()
  const second = await openTab()
  const third = await openTab()
  await client.createRun({ title: 'Seen by all', status: 'in_progress' })
  for (const tab of [page, second, third]) await tab.locator('.lane', { hasText: 'Seen by all' }).waitFor()
  assert.ok(holders.every((tab) => tab === page))
  await page.close()
  await client.createRun({ title: 'Seen by those that are left', status: 'in_progress' })
  for (const tab of [second, third]) await tab.locator('.lane', { hasText: 'those that are left' }).waitFor()
  assert.equal(holders.filter((tab) => tab !== page).length, 1)
})

test('lanes show who waits for a person, who works on what, and who is idle, in that order', async (t) => {
  const { page, client } = await openPage(t)
  const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
  for (const [title, activity] of [
    ['Waits', { state: 'waiting', tool: 'Bash', target: 'rm -rf dist', since: at(3) }],
    ['Works', { state: 'working', tool: 'Edit', target: 'src/hold.ts', since: at(2) }],
    ['Rests', { state: 'idle', since: at(5) }],
  ] as const) {
    const { run } = await client.createRun({ title, status: 'in_progress' })
    await client.appendTurn({ runId: run.runId, prompt: 'Go', answer: `${title} at last.\n\nAnd more.` })
    await client.heartbeat({ runId: run.runId, activity })
  }
  await page.reload()
  await page.getByRole('heading', { name: /1 waiting$/ }).waitFor()
  await page.waitForFunction(() => document.title === '(1 waiting) Now · Conduct')
  const lanes = page.locator('.lane')
  // Each lane reads its answer separately.
  for (const [n, title] of ['Waits', 'Works', 'Rests'].entries()) {
    await lanes.nth(n).getByText(`${title} at last.`).waitFor()
  }
  const words = await lanes.allTextContents()
  for (const [n, expected] of [
    ['Waits', 'waiting, 3m', 'Bash', 'rm -rf dist', 'Waits at last.'],
    ['Works', 'working, 2m', 'Edit', 'src/hold.ts', 'Works at last.'],
    ['Rests', 'idle 5m', 'Rests at last.'],
  ].entries()) {
    for (const word of expected) assert.ok(words[n]?.includes(word), `${word} in ${words[n]}`)
  }
})

test('the page of a live run follows its activity, also if another project is chosen', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createProject({ slug: 'shop' })
  const { run } = await client.createRun({ title: 'Ours', status: 'in_progress' })
  const since = new Date().toISOString()
  await client.heartbeat({ runId: run.runId, activity: { state: 'working', tool: 'Bash', target: 'npm test', since } })
  await page.goto(`${home}#/runs?project=shop`)
  await page.getByText('No runs yet').waitFor()
  await page.evaluate((address) => location.assign(address), '#/runs/default/RUN-001')
  await page.locator('.turn.open').getByText('npm test').waitFor()
  await client.heartbeat({ runId: run.runId, activity: { state: 'waiting', tool: 'Bash', target: 'rm -rf', since } })
  await page.locator('.turn.open').getByText('rm -rf').waitFor()
})

test('runs that need attention say why, and a decision can be undone', async (t) => {
  const { page, client, advance } = await openPage(t)
  const failure = { code: 'API_ERROR', message: 'The model is overloaded.\nTry later.' }
  await client.createRun({ runId: 'FAILED', status: 'failed', failure })
  advance(1)
  await client.createRun({ runId: 'FAILING', status: 'in_progress' })
  await client.createCheck({ runId: 'FAILING', name: 'tests', result: 'fail', exitCode: 2, command: 'npm test' })
  const needs = page.getByRole('region', { name: 'Needs attention' })
  const rows = needs.locator('> .rows > .brief')
  await rows.filter({ hasText: 'npm test' }).waitFor()
  await rows.last().getByText('API_ERROR The model is overloaded.').waitFor()

  await page.getByRole('button', { name: 'Resolve FAILED' }).click()
  await rows.nth(1).waitFor({ state: 'detached' })
  await needs.getByText('FAILED: resolved.').waitFor()
  await page.keyboard.press('Enter')
  await needs.getByText('API_ERROR').waitFor()
  await needs.getByText('FAILED: resolved.').waitFor({ state: 'detached' })
})
