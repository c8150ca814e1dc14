import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openPage } from '../support/browser.ts'

const titles = (page: Page) => page.locator('table.runs .title').allTextContents()

test('filters are part of the address, and the back button undoes them', async (t) => {
  const { page, client, home } = await openPage(t)
  await client.createRun({ title: 'Good', status: 'completed', labels: { team: 'web' } })
  await client.createRun({ title: 'Bad', status: 'failed' })
  await client.createRun({ title: 'Waiting' })
  await page.getByRole('navigation').getByRole('link', { name: 'Runs' }).click()
  await page.getByRole('link', { name: 'Waiting' }).waitFor()
  assert.deepEqual(await titles(page), ['Waiting', 'Bad', 'Good'])

  await page.getByText('Status', { exact: true }).first().click()
  await page.getByRole('checkbox', { name: 'Failed' }).check()
  await page.getByRole('link', { name: 'Good' }).waitFor({ state: 'detached' })
  await page.getByRole('checkbox', { name: 'Completed' }).check()
  await page.getByRole('link', { name: 'Good' }).waitFor()
  assert.deepEqual(await titles(page), ['Bad', 'Good'])
  assert.equal(page.url(), `${home}#/runs?status=failed&status=completed`)

  await page.goBack()
  await page.getByRole('link', { name: 'Good' }).waitFor({ state: 'detached' })
  assert.deepEqual(await titles(page), ['Bad'])
  await page.goto(`${home}#/runs?label=team%3Aweb&order=asc`)
  await page.getByRole('link', { name: 'Good' }).waitFor()
  assert.deepEqual(await titles(page), ['Good'])
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByRole('link', { name: 'Waiting' }).waitFor()
  await page.goto(`${home}#/runs?agent=nobody`)
  await page.getByText('No runs match these filters').waitFor()
})

test('new runs are announced, and shown on request; listed runs change in place', async (t) => {
  const { page, client } = await openPage(t, '#/runs')
  await page.getByText('No runs yet').waitFor()
  await client.createRun({ title: 'First' })
  await page.getByRole('link', { name: 'First' }).waitFor()
  await client.createRun({ title: 'Second' })
  await client.createRun({ title: 'Third' })
  const bar = page.getByRole('button', { name: '2 new runs' })
  await bar.waitFor()
  await client.updateRun({ runId: 'RUN-001', status: 'failed' })
  await page.locator('tr', { hasText: 'First' }).getByText('Failed').waitFor()
  assert.deepEqual(await titles(page), ['First'])
  await bar.click()
  await page.getByRole('link', { name: 'Third' }).waitFor()
  assert.deepEqual(await titles(page), ['Third', 'Second', 'First'])
  assert.equal(await page.getByRole('button', { name: /new run/ }).count(), 0)
})

test('a filter chosen during an outage shows no rows of the earlier one, and its runs once the server is back', async (t) => {
  const { page, client, restart } = await openPage(t)
  await client.createRun({ title: 'Good', status: 'completed' })
  await client.createRun({ title: 'Bad', status: 'failed' })
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await page.getByRole('link', { name: 'Good' }).waitFor()
  await restart(async () => {
    await page.getByText('Status', { exact: true }).first().click()
    await page.getByRole('checkbox', { name: 'Failed' }).check()
    await page.getByRole('button', { name: 'Try again' }).waitFor()
    assert.deepEqual(await titles(page), [])
  })
  await page.getByRole('link', { name: 'Bad' }).waitFor()
  assert.deepEqual(await titles(page), ['Bad'])
})

test('a list that could not be refreshed is read again on request', async (t) => {
  const { page, client, context } = await openPage(t)
  await client.createRun({ title: 'First' })
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await page.getByRole('link', { name: 'First' }).waitFor()
  await context.route('**/v1/runs?*', (route) => route.fulfill({ status: 404, body: 'not found' }))
  await client.createRun({ title: 'Second' })
  await page.getByRole('button', { name: 'Try again' }).waitFor()
  await context.unroute('**/v1/runs?*')
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('button', { name: '1 new run' }).waitFor()
  assert.equal(await page.locator('main .problem').count(), 0)
})

test('the search finds runs by their words, and marks them', async (t) => {
  const { page, client, home } = await openPage(t)
  await client.createRun({ title: 'Login', content: '# Login\n\nThe passkey works.' })
  await client.createRun({ title: 'Logout' })
  // The page is opened only now, because an open list announces new runs without showing them.
  await page.goto(`${home}#/runs`)
  await page.getByRole('link', { name: 'Login' }).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('passkey')
  await page.locator('mark', { hasText: 'passkey' }).waitFor()
  await page.waitForURL(/#\/runs\?q=passkey$/)
  assert.deepEqual(await page.locator('.results .title').allTextContents(), ['Login'])
  await page.goBack()
  await page.getByRole('link', { name: 'Logout' }).waitFor()
})

test('the keyboard moves through the rows, opens one, and shows all shortcuts', async (t) => {
  const { page, client } = await openPage(t)
  for (const title of ['One', 'Two', 'Three']) await client.createRun({ title })
  // The page handles no keys before it is drawn.
  await page.locator('.lane, .brief').or(page.getByText('Nothing is in progress')).first().waitFor()
  // Both keys at once: on a busy machine a second may pass between two calls, and then the keys are not a pair.
  await Promise.all(['g', 'r'].map((key) => page.keyboard.press(key)))
  await page.getByRole('link', { name: 'Three' }).waitFor()
  const focused = () => page.evaluate(() => document.activeElement?.textContent)
  for (const key of ['j', 'j', 'j', 'k']) await page.keyboard.press(key)
  await page.waitForFunction(() => document.activeElement?.textContent === 'Two')
  assert.equal(await focused(), 'Two')
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).getByText('Next row').waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => document.activeElement?.textContent === 'Two')
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).getByRole('button', { name: 'Close' }).click()
  await page.waitForFunction(() => document.activeElement?.textContent === 'Two')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Two', level: 1 }).waitFor()
})

test('keys and letters that arrive before the page has caught up are not lost', async (t) => {
  const { page, client, home } = await openPage(t)
  for (const title of ['One', 'Two']) await client.createRun({ title })
  await page.getByText('Nothing is in progress').waitFor()
  // The keys come as fast as possible: the page draws between them, and the browser does nothing else.
  const focused = await page.evaluate(async () => {
    for (const key of ['g', 'r', '/']) {
      dispatchEvent(new KeyboardEvent('keydown', { key }))
      await null
    }
    return document.activeElement?.getAttribute('type')
  })
  assert.equal(focused, 'search')
  await page.getByRole('link', { name: 'Two' }).waitFor()
  // The user types a letter just as the page puts the previous ones into the address.
  await page.evaluate(() => {
    const field = document.querySelector<HTMLInputElement>('input[type=search]')
    const type = (text: string) => {
      if (!field) return
      field.value += text
      field.dispatchEvent(new InputEvent('input', { bubbles: true }))
    }
    addEventListener('hashchange', () => type('o'), { once: true })
    type('tw')
  })
  await page.waitForURL(`${home}#/runs?q=two`)
  assert.equal(await page.getByRole('searchbox').inputValue(), 'two')
  await page.locator('.results').getByRole('link', { name: 'Two' }).waitFor()
  await page.goBack()
  await page.getByRole('link', { name: 'One' }).waitFor()

  const opened = await page.evaluate(async () => {
    ;(document.activeElement as HTMLElement).blur()
    for (const key of ['j', 'j']) {
      dispatchEvent(new KeyboardEvent('keydown', { key }))
      await null
    }
    return document.activeElement?.textContent
  })
  assert.equal(opened, 'One')
})

test('a long list draws only the rows in view, and reads on as the user scrolls', async (t) => {
  const { page, client } = await openPage(t)
  // A few creates at a time, so that none waits for longer than the client's timeout.
  for (let n = 1; n <= 350; n += 25) {
    await client.createRun({ title: `Run number ${n}` })
    await Promise.all(Array.from({ length: 23 }, (_, m) => client.createRun({ title: `Run number ${n + 1 + m}` })))
    await client.createRun({ title: `Run number ${n + 24}` })
  }
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await page.getByRole('link', { name: 'Run number 350' }).waitFor()
  await page.mouse.move(600, 500)
  await page.mouse.wheel(0, 1500)
  await page.getByRole('link', { name: 'Run number 310' }).waitFor()
  // Each frame scrolls on, as far as rows have been read. The result is the largest number of rows drawn at once.
  const drawn = await page.waitForFunction(() => {
    const rows = document.querySelectorAll('table.runs tbody tr').length
    const most = Math.max(rows, Number(document.body.dataset.most ?? 0))
    document.body.dataset.most = String(most)
    scrollBy(0, 1500)
    return [...document.querySelectorAll('.title')].some(({ textContent }) => textContent === 'Run number 1') && most
  })
  assert.ok(Number(await drawn.jsonValue()) < 80, `${await drawn.jsonValue()} rows`)
  assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), '351')
})

test('an invalid filter is reported, and the others apply', async (t) => {
  const { page, client, home } = await openPage(t)
  await client.createRun({ title: 'Bad', status: 'failed' })
  await client.createRun({ title: 'Good', status: 'completed' })
  await page.goto(`${home}#/runs?status=bogus&status=failed&createdAfter=yesterday`)
  await page
    .getByText("status 'bogus' was ignored: it must be one of pending, in_progress, completed, failed.")
    .waitFor()
  await page.getByText("createdAfter 'yesterday' was ignored: it must be a day like 2026-03-02.").waitFor()
  await page.getByRole('link', { name: 'Bad' }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Good' }).count(), 0)
})

test('filters are suggested from the runs, apply to a search, and can be removed one by one', async (t) => {
  const { page, client, home } = await openPage(t)
  const git = { branch: 'topic/passkeys' }
  await client.createRun({ title: 'Passkey lost', status: 'failed', agent: 'codex', labels: { team: 'web' }, git })
  await client.createRun({ title: 'Passkey found', status: 'completed', agent: 'codex' })
  await client.createRun({
    title: 'Passkey kept',
    status: 'completed',
    agent: 'claude-code',
    author: 'Ada <a@example.com>',
  })
  await page.goto(`${home}#/runs`)
  const filter = async (name: string) => {
    await page.getByText('Filter', { exact: true }).click()
    await page.getByRole('button', { name, exact: true }).click()
  }
  await filter('Agent')
  await page.getByRole('button', { name: 'claude-code', exact: true }).waitFor()
  await page.getByRole('textbox', { name: 'Agent' }).fill('co')
  await page.getByRole('button', { name: 'claude-code', exact: true }).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'codex', exact: true }).click()
  await page.getByRole('link', { name: 'Passkey kept' }).waitFor({ state: 'detached' })
  await filter('Label')
  await page.getByRole('button', { name: 'team:web' }).click()
  await page.getByRole('link', { name: 'Passkey found' }).waitFor({ state: 'detached' })
  assert.equal(page.url(), `${home}#/runs?agent=codex&label=team%3Aweb`)

  await page.getByRole('searchbox').fill('passkey')
  await page.locator('mark', { hasText: 'Passkey' }).or(page.locator('.results .title')).first().waitFor()
  assert.deepEqual(await page.locator('.results .title').allTextContents(), ['Passkey lost'])
  await page.getByTitle('Remove Label: team:web').click()
  await page.getByRole('link', { name: 'Passkey found' }).waitFor()
  assert.deepEqual(await page.locator('.results .title').allTextContents(), ['Passkey found', 'Passkey lost'])
  await page.goto(`${home}#/runs?q=passkey&author=Ada%20%3Ca%40example.com%3E&status=completed`)
  await page.getByRole('link', { name: 'Passkey kept' }).waitFor()
  assert.equal(await page.locator('.results .title').count(), 1)
  await page.goto(`${home}#/runs?q=passkey&branch=topic%2Fpasskeys&status=completed`)
  await page.getByText('No run that these filters show contains all of these words.').waitFor()
})

test('columns are chosen per browser, and a narrow window drops them before titles', async (t) => {
  const { page, client, home, openTab } = await openPage(t)
  const usage = { model: 'sonnet', inputTokens: 12_000, outputTokens: 400, costUsd: 1.5 }
  await client.createRun({ title: 'Costly', status: 'completed', usage, git: { branch: 'topic' } })
  await client.createRun({ title: 'Untold' })
  await page.goto(`${home}#/runs`)
  await page.getByRole('cell', { name: '$1.50' }).waitFor()
  assert.equal(await page.getByRole('columnheader', { name: 'Tokens' }).count(), 0)
  await page.getByText('Columns', { exact: true }).first().click()
  await page.getByRole('checkbox', { name: 'Verdict' }).uncheck()
  await page.getByRole('checkbox', { name: 'Tokens' }).check()
  await page.getByRole('cell', { name: '12.4K' }).waitFor()
  const untold = page.getByRole('row', { name: 'Untold' }).getByRole('cell', { name: '—', exact: true })
  await untold.nth(1).waitFor()
  assert.equal(await page.getByRole('columnheader', { name: 'Verdict' }).count(), 0)
  const other = await openTab('#/runs')
  await other.getByRole('cell', { name: '12.4K' }).waitFor()
  await other.setViewportSize({ width: 800, height: 600 })
  await other.getByRole('columnheader', { name: 'Tokens' }).waitFor({ state: 'detached' })
  await other.getByRole('link', { name: 'Costly' }).waitFor()
  const menu = other.getByText('Columns', { exact: true })
  assert.equal(await menu.count(), 0, 'where no column fits, none can be chosen')
  await other.setViewportSize({ width: 900, height: 600 })
  await menu.first().waitFor()
})

test('a view is an address with a name, stored in this browser', async (t) => {
  const { page, client, home } = await openPage(t, '#/runs?status=failed&agent=ci')
  await client.createRun({ title: 'Bad night', status: 'failed', agent: 'ci' })
  await client.createRun({ title: 'Good day', status: 'completed' })
  await page.getByText('Views', { exact: true }).click()
  await page.getByRole('button', { name: 'Save this view' }).click()
  await page.getByLabel('Name').fill('Bad nights')
  await page.getByRole('button', { name: 'Save view' }).click()
  await page.getByRole('heading', { name: 'Bad nights', level: 1 }).waitFor()
  assert.equal(page.url(), `${home}#/runs?status=failed&agent=ci&view=Bad+nights`)
  await page.goto(`${home}#/runs`)
  await page.getByRole('link', { name: 'Good day' }).waitFor()
  await page.getByText('Views', { exact: true }).click()
  await page.getByRole('link', { name: 'Bad nights' }).click()
  await page.getByRole('link', { name: 'Good day' }).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Bad night', exact: true }).waitFor()
  await page.getByText('Views', { exact: true }).click()
  await page.getByRole('button', { name: 'Delete view Bad nights' }).click()
  await page.getByText('A view keeps filters').waitFor()
})

test('the name of a view is gone once its filters, words, order or projects are changed', async (t) => {
  const { page, client, home } = await openPage(t)
  await client.createProject({ slug: 'shop', name: 'Shop' })
  await client.createRun({ title: 'Bad night', status: 'failed', agent: 'ci' })
  const changes = [
    () => page.getByTitle('Remove Agent: ci').click(),
    () => page.getByRole('searchbox').fill('night'),
    () => page.locator('.runs th.created').getByRole('button').click(),
    async () => {
      await page.getByText('Status: Failed').click()
      await page.getByRole('checkbox', { name: 'Completed' }).check()
    },
    async () => {
      await page.locator('.project-switch summary').click()
      await page.getByRole('checkbox', { name: 'Shop' }).check()
    },
  ]
  for (const [n, change] of changes.entries()) {
    await page.goto(`${home}?${n}#/runs?status=failed&agent=ci&view=Bad+nights`)
    await page.getByRole('heading', { name: 'Bad nights', level: 1 }).waitFor()
    await page.getByRole('link', { name: 'Bad night', exact: true }).waitFor()
    await change()
    await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor()
    assert.doesNotMatch(page.url(), /view=/)
  }
})

test('two runs can be selected, also by keyboard, and compared side by side', async (t) => {
  const { page, client } = await openPage(t)
  const usage = { costUsd: 0.5 }
  await client.createRun({ title: 'First try', status: 'failed', agent: 'codex', content: 'one\ntwo\n', usage })
  await client.createRun({ title: 'Second try', status: 'completed', agent: 'codex', content: 'one\nthree\n' })
  await client.createRun({ title: 'Other' })
  await client.createCheck({ runId: 'RUN-002', name: 'tests', result: 'pass' })
  await client.appendTurn({ runId: 'RUN-001', files: [{ path: 'src/a.ts', insertions: 3, deletions: 1 }] })
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await page.getByRole('checkbox', { name: 'Pick RUN-003 to compare' }).check()
  await page.getByText('Pick another run to compare RUN-003 with.').waitFor()
  await page.getByRole('checkbox', { name: 'Pick RUN-003 to compare' }).uncheck()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await page.getByRole('link', { name: 'Compare RUN-002 and RUN-001' }).click()
  const row = (name: string) => page.getByRole('row', { name })
  await row('Status').getByText('Failed').waitFor()
  assert.deepEqual(await row('Cost').getByRole('cell').allTextContents(), ['—', '$0.50'])
  assert.deepEqual(await row('tests').getByRole('cell').allTextContents(), ['Pass', '—'])
  assert.deepEqual(await row('src/a.ts').getByRole('cell').allTextContents(), ['—', '+3 −1'])
  assert.match((await row('Status').getAttribute('class')) ?? '', /different/)
  assert.doesNotMatch((await row('Agent').getAttribute('class')) ?? '', /different/)
  await page.locator('del', { hasText: 'three' }).waitFor()
  await page.locator('ins', { hasText: 'two' }).waitFor()
})

test('the backdrop of a dialog darkens the page to its edge', async (t) => {
  const { page } = await openPage(t, '#/runs', { colorScheme: 'light' })
  const edge = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
  await page.getByText('No runs yet').waitFor()
  const before = await edge()
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  assert.notEqual(await edge(), before)
})

test('an excerpt of terminal output has no escape sequences', async (t) => {
  const { page, client, home } = await openPage(t)
  const content = 'start\n\x1b[32mok\x1b[0m refuses \x1b[1mall\x1b[0m passkeys of others\n'
  await client.createRun({ title: 'Tests', content, contentType: 'text/x-terminal' })
  await page.goto(`${home}#/runs?q=passkeys`)
  const snippet = page.locator('.results .snippet')
  await snippet.locator('mark').waitFor()
  assert.match((await snippet.textContent()) ?? '', /ok refuses all passkeys of others/)
})

test('the table shows large numbers in full or shortened, but never cut', async (t) => {
  const { page, client } = await openPage(t, '#/runs')
  const add = (insertions: number, deletions: number, costUsd: number) =>
    client.createRun({ status: 'completed', changes: { insertions, deletions }, usage: { costUsd } })
  await add(18_300, 1_830, 22.514)
  await add(999_999, 123_456_789, 12_345.67)
  await add(999_499, 999_499, 999.99)
  await add(7, 0, 0.000001)
  await page.locator('tbody .title').nth(3).waitFor()
  const cells = await page.locator('tbody td.number').evaluateAll((all) =>
    all.map((cell) => {
      const room = document.createRange()
      room.selectNodeContents(cell)
      const { paddingRight, paddingLeft } = getComputedStyle(cell)
      const free = cell.clientWidth - Number.parseFloat(paddingRight) - Number.parseFloat(paddingLeft)
      return { text: cell.textContent, isCut: room.getBoundingClientRect().width > free }
    }),
  )
  assert.deepEqual(
    cells.filter(({ isCut }) => isCut),
    [],
  )
  const texts = cells.map(({ text }) => text).filter((text) => /\d/.test(text))
  assert.deepEqual(texts, ['+7−0', '< $0.01', '+999K−999K', '$999.99', '+1M−123M', '$12.3K', '+18K−1.8K', '$22.51'])
  assert.equal(await page.getByText('$12.3K').getAttribute('title'), '$12,345.67')
  assert.equal(await page.locator('.changes').nth(3).getAttribute('title'), '18,300 lines added, 1,830 removed')
})

test('on paper, the list has all rows that were read, and no menu', async (t) => {
  const { page, client } = await openPage(t, '#/keys')
  for (let n = 0; n < 100; n++) await client.createRun({ status: 'completed' })
  await page.getByRole('link', { name: 'Runs' }).first().click()
  const rows = page.locator('tbody .title')
  await rows.first().waitFor()
  assert.ok((await rows.count()) < 100)
  await page.emulateMedia({ media: 'print' })
  await page.evaluate(() => dispatchEvent(new Event('beforeprint')))
  assert.equal(await rows.count(), 100)
  assert.equal(await page.getByRole('navigation', { name: 'Pages' }).isVisible(), false)
  await page.emulateMedia({ media: 'screen' })
  await page.evaluate(() => dispatchEvent(new Event('afterprint')))
  await page.waitForFunction(() => document.querySelectorAll('tbody .title').length < 100)
})

test('on the way back from a run, the list is where it was left, also after its filters changed', async (t) => {
  const { page, client, home } = await openPage(t, '#/keys')
  for (let n = 0; n < 60; n++) await client.createRun({ status: 'completed' })
  await page.goto(`${home}#/runs`)
  await page.locator('tbody .title').first().waitFor()
  await page.goto(`${home}#/runs?status=completed`)
  await page.waitForFunction(() => document.querySelectorAll('tbody .title').length > 20)
  await page.mouse.move(600, 400)
  await page.mouse.wheel(0, 1200)
  await page.waitForFunction(() => scrollY === 1200)
  await page.locator('tbody tr', { hasText: 'RUN-025' }).getByRole('link').click()
  await page.getByRole('heading', { level: 1, name: 'RUN-025' }).waitFor()
  assert.equal(await page.evaluate(() => scrollY), 0)
  await page.goBack()
  await page.locator('tbody .title').first().waitFor()
  await page.waitForFunction(() => scrollY === 1200)
})
