import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { blank, openPage } from '../support/browser.ts'
import { hold } from '../support/held.ts'
import { adminKey } from '../support/server.ts'

test('Ctrl+K finds pages, runs, specs, features, projects and actions', async (t) => {
  const { page, client, home } = await openPage(t)
  await client.createProject({ slug: 'shop', name: 'Shop' })
  await client.createRun({ title: 'Mend the checkout', status: 'completed' })
  await client.createSpec({ specId: 'PAY-001', title: 'Checkout by card' })
  await client.linkFeatures({ runId: 'RUN-001', features: [{ name: 'checkout' }] })
  // The page handles no keys before it is drawn.
  await page.getByRole('heading', { name: 'Now' }).waitFor()
  const open = async (words: string) => {
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill(words)
  }
  const go = async (words: string, name: RegExp, address: string) => {
    await open(words)
    await page.getByRole('option', { name }).waitFor()
    const chosen = page.getByRole('option', { name, selected: true })
    for (let n = await page.getByRole('option').count(); n > 0 && (await chosen.count()) === 0; n--) {
      await page.keyboard.press('ArrowDown')
    }
    await page.keyboard.press('Enter')
    await page.waitForURL(home + address)
  }
  await go('mend', /^Mend the checkout Run/, '#/runs/default/RUN-001')
  await go('PAY-001', /^Checkout by card Spec/, '#/specs/default/PAY-001')
  await go('checkout', /^checkout Feature/, '#/features/default/1')
  await go('activ', /^Activity Page/, '#/activity')
  await go('default/run-001', /^Mend the checkout Run/, '#/runs/default/RUN-001')
  await go('default/PAY-001', /^Checkout by card Spec/, '#/specs/default/PAY-001')
  await go('shop', /^Shop Project/, '#/runs?project=shop')
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme)
  const before = await theme()
  await open('colours')
  await page.getByRole('option', { name: 'Switch between light and dark' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  assert.notEqual(await theme(), before)
  await open('nothing like this')
  await page.getByText('Nothing matches these words.').waitFor()
  // Escape, Ctrl+K and Escape in quick succession.
  for (const key of ['Escape', 'Control+k', 'Escape']) await page.keyboard.press(key)
  await page.locator('dialog').waitFor({ state: 'detached' })
  // The dialog also opens from a field, where other keys are text.
  await page.getByRole('searchbox').focus()
  await open('shortcuts')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
})

test('the palette finds project/id also if it is typed before the projects are read', async (t) => {
  const { page, client } = await openPage(t)
  await client.createRun({ title: 'Mend the checkout' })
  await page.getByRole('heading', { name: 'Now' }).waitFor()
  const held = await hold(page, (request) => request.url().includes('/v1/projects?'))
  await page.keyboard.press('Control+k')
  const searched = page.waitForResponse(/\/v1\/search\?/)
  await page.getByRole('combobox').fill('default/run-001')
  await searched
  await held.release()
  await page.getByRole('option', { name: /^Mend the checkout Run/ }).waitFor()
})

test('the palette has a run once, with a sentence in which the words are marked, and keeps its size', async (t) => {
  const { page, client, home } = await openPage(t)
  const author = 'Ada Lund <ada@example.com>'
  const content = '# Sign in\n\n> Sign in\n\n- used Edit ×6\n\nGuests can use a **passkey** now.\n'
  await client.createRun({ runId: 'R', title: 'Sign in', agent: 'codex', author, status: 'in_progress', content })
  await client.appendTurn({ runId: 'R', prompt: 'Add the passkey', answer: 'Added.' })
  await page.getByRole('heading', { name: 'Now' }).waitFor()
  await page.keyboard.press('Control+k')
  const size = async () => (await page.getByRole('dialog').boundingBox())?.height
  const before = await size()
  await page.getByRole('combobox').fill('passkey')
  const option = page.getByRole('option', { name: /^Sign in Run R in default · codex · Ada Lund · / })
  await option.locator('mark', { hasText: 'passkey' }).first().waitFor()
  assert.equal(await page.getByRole('option').count(), 1)
  assert.match(
    (await option.locator('.excerpt').textContent()) ?? '',
    /Guests can use a passkey now\.|^Add the passkey/,
  )
  assert.equal(await size(), before)
  await page.keyboard.press('Enter')
  await page.waitForURL(`${home}#/runs/default/R?turn=1`)
})

test('the palette opens at once, since keys that come before it would act on the page', async (t) => {
  const { page, context } = await openPage(t)
  const loaded = page.waitForResponse(/palette.*\.js$/)
  await page.reload()
  await (await loaded).finished()
  await page.getByText('Nothing is in progress').waitFor()
  await context.setOffline(true)
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('activ')
  await page.keyboard.press('Enter')
  await page.waitForURL(/#\/activity$/)
})

test('two keys in a row lead to a page, whatever the second one does alone', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'Hold a boat' })
  // By then, the code of this page is there before the page.
  await page.goto(`${home}#/`)
  await page.getByRole('heading', { name: 'Now', exact: true }).waitFor()
  for (const address of ['#/runs?q=boat', '#/runs', '#/runs/default/RUN-001']) {
    await page.goto(`${home}?${address.length}${address}`)
    await page.getByText('Hold a boat').first().waitFor()
    await Promise.all(['g', 'k'].map((key) => page.keyboard.press(key)))
    await page.getByRole('heading', { name: 'Keys', exact: true }).waitFor()
  }
})

test('one switch selects the projects on all pages', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createProject({ slug: 'shop', name: 'Shop' })
  await client.createRun({ title: 'Ours', status: 'failed' })
  await page.goto(`${home}#/`)
  const needs = page.getByRole('region', { name: 'Needs attention' })
  await needs.getByRole('link', { name: 'Ours' }).waitFor()
  await page.locator('.project-switch summary').click()
  await page.getByRole('checkbox', { name: 'Shop' }).check()
  await needs.getByRole('link', { name: 'Ours' }).waitFor({ state: 'detached' })
  assert.equal(page.url(), `${home}#/?project=shop`)
  await page.waitForFunction(() => document.title === 'Now · Conduct')
  // The open menu covers what is below it.
  await page.keyboard.press('Escape')
  for (const name of ['Runs', 'Specs', 'Features', 'Activity', 'Trends']) {
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true }).click()
    await page.waitForURL(`${home}#/${name.toLowerCase()}?project=shop`)
  }
  // A page for the whole server keeps the selection.
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Keys' }).click()
  await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor()
  await Promise.all(['g', 'r'].map((key) => page.keyboard.press(key)))
  await page.waitForURL(`${home}#/runs?project=shop`)
  await page.locator('.project-switch summary').click()
  await page.getByRole('checkbox', { name: 'Shop' }).uncheck()
  await page.getByRole('link', { name: 'Ours' }).waitFor()
})

test('of a project that a key cannot see, pages say so once, ask only once, and lead to its own project', async (t) => {
  const { page, client, home, logIn } = await openPage(t, '', { permissions: [] })
  await client.createProject({ slug: 'shop' })
  await client.createRun({ runId: 'A', specId: 'S', title: 'Theirs' })
  await createClient({ url: home, key: adminKey, project: 'shop' }).createRun({ title: 'Ours' })
  await logIn((await client.createKey({ name: 'reader', permissions: ['read'], project: 'shop' })).secret)
  await page.clock.install()
  const refused: string[] = []
  page.on('response', (response) => response.status() === 404 && refused.push(response.url()))
  const main = page.getByRole('main')
  for (const address of ['runs/default/A', 'specs/default/S', '?project=default', 'runs?project=default']) {
    await page.goto(`${home}?${address.length}#/${address}`)
    await main.getByText('There is no project default, or this key cannot see it: it is for project shop.').waitFor()
    assert.equal(await main.locator('p').count(), 1, address)
  }
  const { length } = refused
  const later = page.waitForResponse(/auth\/me/)
  await page.clock.runFor('05:30')
  await later
  // Everything is read again once the stream of events is there, but not every five seconds.
  assert.ok(refused.length <= length + 2, refused.join(' '))
  await main.getByRole('link', { name: 'Show project shop' }).click()
  await page.getByRole('link', { name: 'Ours' }).waitFor()
  assert.equal(page.url(), `${home}?20#/runs`)
})

test('a chosen project that is deleted or unknown can be taken back', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createProject({ slug: 'shop', name: 'Shop' })
  await client.createRun({ title: 'Ours', status: 'failed' })
  await page.goto(`${home}#/?project=shop`)
  const pages = page.getByRole('navigation', { name: 'Pages' })
  await page.locator('.project-switch').getByText('Project: Shop').waitFor()
  await pages.getByRole('link', { name: 'Projects' }).click()
  await page.getByRole('link', { name: 'Settings of Shop' }).click()
  await page.getByRole('button', { name: 'Delete project' }).click()
  await page.getByRole('dialog').getByRole('textbox').fill('Shop')
  await page.getByRole('dialog').getByRole('button', { name: 'Delete project' }).click()
  await page.locator('.project-switch').waitFor({ state: 'detached' })
  await pages.getByRole('link', { name: 'Runs' }).click()
  await page.getByRole('link', { name: 'Ours' }).waitFor()
  assert.equal(page.url(), `${home}#/runs`)

  await page.goto(`${home}#/runs?project=gone`)
  await page.getByText('There is no project gone.').waitFor()
  await page.locator('.project-switch summary').click()
  await page.getByRole('checkbox', { name: 'gone' }).click()
  await page.getByRole('link', { name: 'Ours' }).waitFor()
  assert.equal(page.url(), `${home}#/runs`)
})

test('the page tells a user with a read-only key so once', async (t) => {
  const { page } = await openPage(t, '', { permissions: ['read'] })
  await page.getByText('Your key can read but not change anything.').waitFor()
  assert.equal(await page.getByText('Read-only.').count(), 1)
})

test('a page over plain HTTP says that it cannot change anything, and has no buttons that would fail', async (t) => {
  const before = `Object.defineProperty(globalThis, 'isSecureContext', { value: false })`
  const { page, client, home } = await openPage(t, '#/keys', { before })
  await client.createRun({ title: 'Seen', status: 'failed' })
  await page.getByText('This page came over plain HTTP. Open it over HTTPS or at localhost').waitFor()
  assert.ok(await page.getByRole('button', { name: 'New key' }).isDisabled())
  assert.equal(await page.getByRole('button', { name: /^Revoke/ }).count(), 0)
  await client.createWebhook({ url: 'http://hooks.invalid/hook' })
  await page.goto(`${home}?again#/webhooks`)
  await page.locator('.keyed li').waitFor()
  assert.ok(await page.getByRole('button', { name: 'New webhook' }).isDisabled())
  assert.equal(await page.getByRole('button', { name: /^Test/ }).count(), 0)
  await page.getByRole('button', { name: /^Manage/ }).click()
  await page.getByText('Last deliveries').waitFor()
  assert.equal(
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /Disable|Edit|Send|Rotate|Delete/ })
      .count(),
    0,
  )
  await page.goto(`${home}?again#/runs/default/RUN-001`)
  await page.getByRole('heading', { name: 'Seen' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Add check' }).count(), 0)
})

test('the menu is one row on a phone', async (t) => {
  const { page, client, home } = await openPage(t, blank, { viewport: { width: 390, height: 844 } })
  await client.createProject({ slug: 'shop', name: 'Shop' })
  await client.createRun({ title: 'Failed', status: 'failed' })
  await page.goto(`${home}#/`)
  await page.getByText('need attention').waitFor({ state: 'attached' })
  const tops = await page
    .getByRole('navigation', { name: 'Pages' })
    .getByRole('link')
    .evaluateAll((links) => links.map((link) => Math.round(link.getBoundingClientRect().top)))
  assert.equal(new Set(tops).size, 1, tops.join(' '))
  assert.ok((await page.locator('.side').evaluate((side) => side.clientHeight)) <= 96)
})

test('a login whose cookie is lost says why', async (t) => {
  const { page, home } = await openPage(t, '', { permissions: [] })
  const login = async () => {
    await page.getByLabel('Key').fill(adminKey)
    await page.getByRole('button', { name: 'Log in' }).click()
  }
  // Stands in for a proxy that drops cookies, and that serves the page at a path unknown to the server.
  await page.route(/\/(conduct\/v1|tools\/ledger)\//, async (route) => {
    const request = route.request()
    const address = request.url().replace('/tools/ledger/', '/conduct/')
    const { host: _, ...headers } = await request.allHeaders()
    const answer = await fetch(address, { method: request.method(), headers, body: request.postData() })
    const passed = [...answer.headers].filter(([name]) => !/^(set-cookie|content-(encoding|length))$/.test(name))
    const body = Buffer.from(await answer.arrayBuffer())
    await route.fulfill({ status: answer.status, headers: Object.fromEntries(passed), body })
  })
  for (const [address, reason] of [
    [home, 'the browser did not keep the session'],
    [home.replace('/conduct/', '/tools/ledger/'), 'Set CONDUCT_BASE_PATH to /tools/ledger'],
  ] as const) {
    await page.goto(address)
    await login()
    await page.getByRole('alert').getByText(reason).waitFor()
  }
})

test('on a narrow screen, the menu scrolls to the current page', async (t) => {
  const { page, client, home } = await openPage(t, '#/projects', { viewport: { width: 360, height: 640 } })
  await client.createRun({ status: 'failed' })
  await page.locator('.side .count').waitFor()
  const linkTo = (name: string) =>
    page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: name !== 'Now' })
  // The menu scrolls after the page is drawn.
  const comesIntoSight = async (name: string) =>
    page.waitForFunction(
      (link) => {
        const { left, right } = link?.getBoundingClientRect() ?? { left: -1, right: 0 }
        return left >= 0 && right <= 360
      },
      await linkTo(name).elementHandle(),
    )
  await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor()
  await comesIntoSight('Projects')
  await page.goto(`${home}#/`)
  await page.getByRole('heading', { level: 1, name: 'Now' }).waitFor()
  await comesIntoSight('Now')
})

test('in a low window, the menu scrolls by itself, and everything around it stays in reach', async (t) => {
  const { page, client, home } = await openPage(t, blank, { viewport: { width: 720, height: 450 } })
  for (const slug of ['shop', 'office', 'lab']) await client.createProject({ slug, name: slug })
  await page.goto(`${home}#/projects`)
  await page.getByRole('heading', { level: 1, name: 'Projects' }).waitFor()
  await page.locator('.project-switch').waitFor()
  const bottomOf = (name: string) =>
    page
      .getByRole('banner')
      .getByRole('button', { name })
      .evaluate((it) => it.getBoundingClientRect().bottom)
  for (const name of ['Log out', 'Keyboard shortcuts']) assert.ok((await bottomOf(name)) <= 450, name)
  const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Projects' })
  assert.ok((await link.evaluate((it) => it.getBoundingClientRect().bottom)) <= 450)
  // Lower still, all of it scrolls with the page.
  await page.setViewportSize({ width: 720, height: 300 })
  await page.getByRole('button', { name: 'Log out' }).scrollIntoViewIfNeeded()
  assert.ok((await bottomOf('Log out')) <= 300)
})

for (const hours of [3, -3]) {
  test(`the page shows the time of the server, also in a browser whose clock is ${hours} hours ahead`, async (t) => {
    const before = `globalThis.Date = class extends Date {
      constructor(...given) { super(...(given.length === 0 ? [Date.now()] : given)) }
      static now = ((now) => () => now() + ${hours} * 3_600_000)(Date.now)
    }`
    const { page, client } = await openPage(t, '', { before })
    const { run, lease } = await client.createRun({ title: 'Lively', leaseSeconds: 600 })
    await client.heartbeat({ runId: run.runId, leaseToken: lease?.token, activity: { state: 'working' } })
    await page
      .locator('.lane.working', { hasText: 'Lively' })
      .getByText(/^working, [1-9]\d?s$/)
      .waitFor()
    await page.getByRole('link', { name: 'Activity' }).click()
    await page.getByRole('link', { name: 'All events' }).click()
    await page
      .getByText(/^(now|\d+s ago)$/)
      .first()
      .waitFor()
  })
}

test('on a narrow screen, a chosen project leaves the buttons beside it in their row', async (t) => {
  const { page, client, home } = await openPage(t, '', { viewport: { width: 345, height: 700 } })
  await client.createProject({ slug: 'shop', name: 'The shop with a long name' })
  await client.createProject({ slug: 'bank', name: 'The bank' })
  const middle = (selector: string) =>
    page.locator(selector).evaluate((it) => {
      const { top, bottom } = it.getBoundingClientRect()
      return Math.round((top + bottom) / 2)
    })
  for (const [query, words] of Object.entries({ '': 'All projects', '?project=shop': 'Project: The shop' })) {
    await page.goto(`${home}#/runs${query}`)
    await page.locator('.project-switch summary', { hasText: words }).waitFor()
    assert.equal(await middle('.foot'), await middle('.brand'), words)
  }
})

test('on a phone, the projects and whose runs have one row, in a wide font, too', async (t) => {
  const shown = await openPage(t, blank, { viewport: { width: 360, height: 700 }, person: 'Ada <ada@example.com>' })
  const { page, client, home } = shown
  for (const slug of ['shop', 'bank']) await client.createProject({ slug, name: `The ${slug} with a long name` })
  await page.goto(`${home}#/runs?project=shop`)
  await page.getByRole('button', { name: 'Everyone' }).waitFor()
  await page.evaluate(() => document.documentElement.style.setProperty('--sans', '"DejaVu Sans", Verdana, sans-serif'))
  const tops = await page
    .locator('.brand, .project-switch summary, .mine-switch button')
    .evaluateAll((all) => all.map((it) => it.getBoundingClientRect().top))
  const [brand = 0, ...others] = tops
  assert.equal(new Set(others).size, 1, tops.join(' '))
  assert.ok((others[0] ?? 0) > brand + 20, tops.join(' '))
  assert.ok((await page.locator('.side').evaluate((side) => side.clientHeight)) <= 130)
})

test('the page says that requests get no response while the stream of events stays open, and reads again when they do', async (t) => {
  const { page, client } = await openPage(t, '#/keys')
  await page.getByRole('status').getByText('Live').waitFor()
  await client.createFeature({ name: 'Found again' })
  await page.route('**/v1/features*', (route) => route.abort())
  await page.getByRole('link', { name: 'Features' }).click()
  await page.getByText('No response from').waitFor({ timeout: 40_000 })
  await page.getByRole('status').getByText('Server unavailable since').waitFor()
  await page.unroute('**/v1/features*')
  await page.getByText('Found again').waitFor()
  await page.getByRole('status').getByText('Live').waitFor()
})

test('code that could not be loaded once is loaded with the next address that needs it', async (t) => {
  const { page, home } = await openPage(t, blank)
  const code = '**/assets/trends-*.js'
  await page.route(code, (route) => route.abort())
  await page.goto(`${home}#/trends`)
  await page.getByRole('alert').getByText('could not be loaded').waitFor()
  await page.unroute(code)
  await page.goto(`${home}#/runs`)
  await page.getByRole('heading', { name: 'Runs' }).waitFor()
  await page.goto(`${home}#/trends`)
  await page.getByRole('heading', { name: 'Trends' }).waitFor()
})

test('a page that cannot be drawn says so, and the others go on', async (t) => {
  // The test of every page takes an error that nobody handled for a failure.
  const before = `addEventListener('error', (event) => event.preventDefault())`
  const { page, client, home } = await openPage(t, blank, { before })
  await client.createRun({ runId: 'RUN-1', title: 'Mend the checkout' })
  await page.route('**/v1/runs/RUN-1*', (route) =>
    route.fulfill({ json: { run: { runId: 'RUN-1', project: 'default' } } }),
  )
  await page.goto(`${home}#/runs/default/RUN-1`)
  const problem = page.getByRole('alert').filter({ hasText: 'This page could not be drawn' })
  await problem.waitFor()
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await page.getByRole('link', { name: 'Mend the checkout' }).click()
  await problem.waitFor()
  await page.unroute('**/v1/runs/RUN-1*')
  // Another view of the same page is tried again.
  await page.goto(`${home}#/runs/default/RUN-1?view=timeline`)
  await page.getByRole('heading', { name: 'Mend the checkout' }).waitFor()
})
