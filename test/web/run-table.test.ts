import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blank, openPage } from '../support/browser.ts'

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
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).getByText('Next row').waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => document.activeElement?.textContent === 'Two')
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).getByRole('button', { name: 'Close' }).click()
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

test('columns are chosen per browser, and a narrow window drops them before titles', async (t) => {
  const { page, client, home, openTab } = await openPage(t, blank)
  const usage = { model: 'sonnet', inputTokens: 12_000, outputTokens: 400, costUsd: 1.5 }
  await client.createRun({ title: 'Costly', status: 'completed', usage, git: { branch: 'topic' } })
  await client.createCheck({ runId: 'RUN-001', name: 'tests', result: 'pass' })
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
  await other.setViewportSize({ width: 920, height: 600 })
  await menu.first().click()
  assert.equal(await other.getByRole('checkbox', { name: 'Agent', exact: true }).isChecked(), true)
  assert.equal(await other.getByRole('checkbox', { name: 'Tokens no room' }).isChecked(), true)
  await other.getByRole('checkbox', { name: 'Agent' }).uncheck()
  await other.setViewportSize({ width: 390, height: 844 })
  await other.getByText('default / RUN-001 · Verified', { exact: true }).waitFor()
  const heights = await other.locator('table.runs tbody tr').evaluateAll((rows) => rows.map((row) => row.clientHeight))
  assert.deepEqual(heights, [44, 44])
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
  await page.setViewportSize({ width: 360, height: 740 })
  const heights = await page.locator('.compare .badge').evaluateAll((all) => all.map((it) => it.clientHeight))
  assert.deepEqual(new Set(heights), new Set([22]), 'no badge breaks')
})

test('the keys go on with the run that has the focus when a row above it goes', async (t) => {
  const { page, client, home, live } = await openPage(t, blank)
  for (let n = 1; n <= 6; n++) await client.createRun({ runId: `R-${n}`, title: `Try ${n}`, status: 'completed' })
  await page.goto(`${home}#/runs`)
  await page.getByRole('link', { name: 'Try 6' }).waitFor()
  await live
  const goesTo = async (key: string, title: string) => {
    await page.keyboard.press(key)
    await page.waitForFunction((title) => document.activeElement?.textContent === title, title)
  }
  for (const n of [6, 5, 4]) await goesTo('j', `Try ${n}`)
  await client.deleteRun({ runId: 'R-6' })
  await page.getByRole('link', { name: 'Try 6' }).waitFor({ state: 'detached' })
  await page.keyboard.press('x')
  await page.getByRole('checkbox', { name: 'Pick R-4 to compare', checked: true }).waitFor()
  await goesTo('j', 'Try 3')
  // Of a run that is gone itself, the place stays.
  await client.deleteRun({ runId: 'R-3' })
  await page.getByRole('link', { name: 'Try 3' }).waitFor({ state: 'detached' })
  await page.keyboard.press('x')
  await goesTo('j', 'Try 2')
  assert.equal(await page.getByRole('checkbox', { checked: true }).count(), 1)
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

test('the table shows large numbers in full or shortened, but never cut', async (t) => {
  const { page, client } = await openPage(t)
  const add = (insertions: number, deletions: number, costUsd: number) =>
    client.createRun({ status: 'completed', changes: { insertions, deletions }, usage: { costUsd } })
  await add(18_300, 1_830, 22.514)
  await add(999_999, 123_456_789, 12_345.67)
  await add(999_499, 999_499, 999.99)
  await add(7, 0, 0.000001)
  // Only now, because an open list announces new runs without showing them.
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
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
  const texts = cells.map(({ text }) => text).filter((text) => /\d/.test(text) && !text.endsWith(' ago'))
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

test('two contents are compared once, and not again whenever the page is drawn', async (t) => {
  const before = `
    const { split } = String.prototype
    globalThis.splits = 0
    String.prototype.split = function (...words) {
      if (this.length > 10_000) globalThis.splits++
      return split.apply(this, words)
    }`
  const { page, client, home } = await openPage(t, blank, { before })
  const lines = (word: string) => Array.from({ length: 2000 }, (_, n) => `${word} ${n % 7 ? n : 'same'}`).join('\n')
  for (const word of ['old', 'new']) await client.createRun({ title: word, content: lines(word) })
  await page.goto(`${home}#/compare?run=default/RUN-001&run=default/RUN-002`)
  await page
    .getByText(/too little in common|From line/)
    .first()
    .waitFor()
  const splits = () => page.evaluate(() => (globalThis as unknown as { splits: number }).splits)
  const once = await splits()
  await client
    .createRun({ title: 'Waits', leaseSeconds: 60 })
    .then(({ run, lease }) =>
      client.heartbeat({ runId: run.runId, leaseToken: lease?.token ?? '', activity: { state: 'waiting' } }),
    )
  await page.getByRole('navigation', { name: 'Pages' }).getByText('waiting', { exact: true }).waitFor()
  assert.equal(await splits(), once)
})

test('in a wide font, badges and durations fit their columns at any width', async (t) => {
  const { page, client, home } = await openPage(t)
  const startedAt = (ms: number) => new Date(Date.now() - ms).toISOString()
  const hours = 3_600_000
  const { run } = await client.createRun({ title: 'Live', status: 'in_progress', usage: { costUsd: 1234.56 } })
  const ended = [
    { title: 'Good', status: 'completed', startedAt: startedAt(1_122_400) },
    { title: 'Long', status: 'completed', startedAt: startedAt(23.9 * hours) },
    { title: 'Bad', status: 'failed', startedAt: startedAt(59 * 60_000) },
  ] as const
  for (const { title, ...one } of ended) {
    const { run } = await client.createRun({ title, ...one, changes: { insertions: 123_456, deletions: 98_765 } })
    await client.createCheck({ runId: run.runId, name: 'tests', result: 'warn' })
  }
  await client.createCheck({ runId: run.runId, name: 'tests', result: 'pass' })
  await page.evaluate(() => document.documentElement.style.setProperty('--sans', '"DejaVu Sans", Verdana, sans-serif'))
  for (const width of [1280, 1440, 1680, 1920]) {
    await page.setViewportSize({ width, height: 800 })
    await page.goto(`${home}#/runs`)
    await page.getByRole('link', { name: 'Live' }).waitFor()
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll('.runs td:not(.wide, .pick)')]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
        .map(({ textContent, scrollWidth, clientWidth }) => `${textContent}: ${scrollWidth} in ${clientWidth}`),
    )
    assert.deepEqual(cut, [], `${width} px`)
  }
  const statuses = () => page.locator('.runs td .badge.doubt, .runs td .badge.busy').allTextContents()
  await client.heartbeat({ runId: run.runId, activity: { state: 'waiting', tool: 'Bash', target: 'psql' } })
  await page.getByTitle('The agent waits for an answer: Bash psql').waitFor()
  assert.ok((await statuses()).includes('Waiting'))
})

test('the menu of columns looks like every other menu', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'One' })
  await page.goto(`${home}#/runs`)
  await page.locator('summary', { hasText: 'Columns' }).click()
  const border = await page.locator('.menu[open] .sheet').evaluate((sheet) => getComputedStyle(sheet).borderLeftWidth)
  assert.equal(border, '1px')
})

test('a failed run says why in the list, and how to continue its session on its page', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const where = { cwd: "/home/ada/it's here", session: '0b7d-44' }
  const message = 'The limit of the provider was reached.\nTry again later.'
  await client.createRun({ agent: 'claude-code', where, status: 'failed', failure: { code: 'RATE_LIMITED', message } })
  const hostile = { cwd: '/tmp', session: '--x; rm -rf ~' }
  await client.createRun({ agent: 'claude-code', where: hostile, status: 'failed' })
  await client.createRun({ title: 'Done', status: 'completed' })
  await page.goto(`${home}#/runs`)
  await page
    .getByText('default / RUN-001 · RATE_LIMITED: The limit of the provider was reached.', { exact: true })
    .waitFor()
  await page.goto(`${home}#/runs/default/RUN-001`)
  await page.getByText(`cd '/home/ada/it'\\''s here' && claude --resume 0b7d-44`, { exact: true }).waitFor()
  await page.goto(`${home}#/runs/default/RUN-002`)
  await page.getByRole('heading', { name: 'Checks none recorded' }).waitFor()
  assert.equal(await page.locator('.retry').count(), 0)
})

test('rows that are higher for large letters keep their place while one scrolls', async (t) => {
  const before = `{
    const sheet = new CSSStyleSheet()
    sheet.replaceSync('.runs .title { line-height: 44px }')
    document.adoptedStyleSheets = [sheet]
  }`
  const { page, client, home } = await openPage(t, blank, { before })
  const count = 150
  for (let n = 1; n <= count; n += 25) {
    await Promise.all(Array.from({ length: 25 }, () => client.createRun({ title: 'Run' })))
  }
  await page.goto(`${home}#/runs`)
  await page.locator('[data-row="5"]').waitFor()
  const heightOf = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((it) => it.getBoundingClientRect().height)
  const row = await heightOf('.runs tbody tr:not(.space)')
  assert.ok(row > 50, `${row} px`)
  // The second page of the list comes when its place comes into sight.
  const last = page.locator(`[data-row="${count - 1}"]`)
  await page.mouse.move(600, 400)
  await page.mouse.wheel(0, 4000)
  await page.locator(`table.runs[aria-rowcount="${count + 1}"]`).waitFor()
  await page.mouse.wheel(0, 99_000)
  await last.waitFor()
  await page.waitForFunction(() => scrollY + innerHeight >= document.documentElement.scrollHeight - 1)
  assert.ok(Math.abs((await heightOf('.runs tbody')) - count * row) < count, 'the height of all rows')
  const { y = 0 } = (await last.boundingBox()) ?? {}
  assert.ok(y > 0 && y < 800, `${y} px`)
  // Back by key: the row that gets the focus is in sight.
  const end = await page.evaluate(() => scrollY)
  await page.mouse.wheel(0, -2000)
  await page.waitForFunction((top) => scrollY === top, end - 2000)
  for (let n = 0; n < 3; n++) await page.keyboard.press('j')
  const focused = page.locator('.runs .title:focus')
  await focused.waitFor()
  const top = (await focused.boundingBox())?.y ?? -1
  assert.ok(top >= 0 && top < 800, `${top} px`)
})

test('a picked run stays picked while one searches for another', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (const title of ['One', 'Two']) await client.createRun({ title })
  await page.goto(`${home}#/runs`)
  await page.getByRole('row', { name: 'One' }).getByRole('checkbox').check()
  await page.getByText('Pick another run to compare RUN-001 with.').waitFor()
  await page.getByRole('searchbox').fill('two')
  await page.locator('.results').getByRole('link', { name: 'Two' }).waitFor()
  await page.getByRole('searchbox').fill('')
  await page.getByRole('row', { name: 'Two' }).getByRole('checkbox').check()
  await page.getByRole('link', { name: 'Compare RUN-001 and RUN-002' }).waitFor()
})

test('the lists above a page, and the one after a deletion, are those of the chosen projects', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createProject({ slug: 'shop', name: 'Shop' })
  await client.createFeature({ name: 'Login' })
  await client.createSpec({ specId: 'A-1', content: '# Log in' })
  await client.createRun({ runId: 'A', title: 'Gone' })
  await client.createRun({ runId: 'B', title: 'Left' })
  const chosen = '?project=default&project=shop'
  await page.goto(`${home}#/runs${chosen}`)
  await page.locator('table.runs .title', { hasText: 'Left' }).waitFor()
  const wrong: string[] = []
  for (const path of ['specs/default/A-1', 'features/default/1', 'files/default/src/a.ts', 'runs/default/A']) {
    await page.goto(`${home}#/${path}`)
    const [list] = path.replace('files', 'runs').split('/')
    await page
      .locator('.crumbs')
      .getByText(path.split('/').at(-1) ?? '', { exact: true })
      .waitFor()
    const address = await page.locator('.crumbs a').first().getAttribute('href')
    if (address !== `#/${list}${chosen}`) wrong.push(`${path}: ${address}`)
  }
  await page.locator('.actions summary', { hasText: 'More actions' }).click()
  await page.getByRole('button', { name: 'Delete run' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete run' }).click()
  await page.locator('table.runs[aria-rowcount="2"] .title', { hasText: 'Left' }).waitFor()
  assert.deepEqual([...wrong, page.url()], [`${home}#/runs${chosen}`])
})
