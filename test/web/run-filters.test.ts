import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { blank, openPage } from '../support/browser.ts'
import { hold } from '../support/held.ts'

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

test('an invalid filter is reported, and the others apply', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'Bad', status: 'failed' })
  await client.createRun({ title: 'Good', status: 'completed' })
  await page.goto(`${home}#/runs?status=bogus&status=failed&createdAfter=yesterday`)
  await page
    .getByText("status 'bogus' was ignored: it must be one of pending, in_progress, completed, failed.")
    .waitFor()
  await page
    .getByText("createdAfter 'yesterday' was ignored: it must be a day like 2026-03-02, or a span like 7d.")
    .waitFor()
  await page.getByRole('link', { name: 'Bad' }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Good' }).count(), 0)
})

test('a filter that the page does not have is reported, and so is that of somebody whom the key does not name', async (t) => {
  const { page, home, client } = await openPage(t, blank)
  await client.createRun({ title: 'A run', status: 'completed' })
  await page.goto(`${home}#/runs?reviewer=ada&status=completed&mine=true&order=asc&view=Mine`)
  await page.getByText("reviewer 'ada' was ignored: this page has no such filter.").waitFor()
  await page.getByText('mine was ignored: your key names no person.').waitFor()
  await page.getByText('A run').waitFor()
  assert.equal(await page.locator('main .problem').count(), 2)
})

test('filters are suggested from the runs, apply to a search, and can be removed one by one', async (t) => {
  const { page, client, home } = await openPage(t, blank)
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
  await page.setViewportSize({ width: 390, height: 844 })
  await filter('Agent')
  await page.getByRole('button', { name: 'claude-code', exact: true }).waitFor()
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, 'the menu stays in the window')
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.getByRole('textbox', { name: 'Agent' }).fill('codex')
  await page.getByRole('button', { name: 'claude-code', exact: true }).waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'codex', exact: true }).press('Enter')
  await page.getByRole('link', { name: 'Passkey kept' }).waitFor({ state: 'detached' })
  await page.locator('summary:focus', { hasText: 'Filter' }).waitFor()
  await filter('Label')
  await page.getByRole('button', { name: 'team:web' }).click()
  await page.getByRole('link', { name: 'Passkey found' }).waitFor({ state: 'detached' })
  assert.equal(page.url(), `${home}#/runs?agent=codex&label=team%3Aweb`)

  await page.getByRole('searchbox').fill('passkey')
  await page.locator('mark', { hasText: 'Passkey' }).or(page.locator('.results .title')).first().waitFor()
  assert.deepEqual(await page.locator('.results .title').allTextContents(), ['Passkey lost'])
  await page.getByTitle('Remove Label: team:web').press('Enter')
  await page.locator('h1:focus').waitFor()
  await page.getByRole('link', { name: 'Passkey found' }).waitFor()
  assert.deepEqual(await page.locator('.results .title').allTextContents(), ['Passkey found', 'Passkey lost'])
  await page.goto(`${home}#/runs?label=team%3Aweb`)
  await filter('Label')
  await page.getByRole('textbox', { name: 'Label' }).fill('part:api')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.getByTitle('Remove Label: part:api').waitFor()
  assert.equal(page.url(), `${home}#/runs?label=team%3Aweb&label=part%3Aapi`)
  await page.getByText('No runs match these filters').waitFor()
  await page.goto(`${home}#/runs?q=passkey&author=Ada%20%3Ca%40example.com%3E&status=completed`)
  await page.getByRole('link', { name: 'Passkey kept' }).waitFor()
  assert.equal(await page.locator('.results .title').count(), 1)
  await page.goto(`${home}#/runs?createdAfter=2026-03-02`)
  await page.getByTitle('Remove Created from: Mar 2, 2026').waitFor()
  await page.goto(`${home}#/runs?q=passkey&branch=topic%2Fpasskeys&status=completed`)
  await page.getByText('No run that these filters show contains all of these words.').waitFor()
})

test('a part of a value is enough to filter by it, if no other value contains it', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'Of Ada', author: 'Ada Example <ada@example.com>' })
  await client.createRun({ title: 'Of Adam', author: 'Adam <adam@example.com>' })
  await page.goto(`${home}#/runs`)
  const enter = async (author: string) => {
    await page.getByText('Filter', { exact: true }).click()
    await page.getByRole('button', { name: 'Author', exact: true }).click()
    await page.getByRole('textbox', { name: 'Author' }).fill(author)
    await page.getByRole('textbox', { name: 'Author' }).press('Enter')
  }
  await enter('Ada Example')
  await page.getByTitle('Remove Author: Ada Example <ada@example.com>').click()
  await enter('Ada')
  await page.getByTitle('Remove Author: Ada', { exact: true }).click()
  await enter('adam')
  await page.getByTitle('Remove Author: Adam <adam@example.com>').click()
  await enter('Adam@example.com')
  await page.getByTitle('Remove Author: Adam@example.com', { exact: true }).waitFor()
  await page.locator('table.runs .title', { hasText: 'Of Adam' }).waitFor()
})

test('a filter that is given up before its only value is known does not apply', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'Of Ada', agent: 'codex' })
  await page.goto(`${home}#/runs`)
  await page.getByText('Filter', { exact: true }).click()
  await page.getByRole('button', { name: 'Agent', exact: true }).click()
  await page.getByRole('textbox', { name: 'Agent' }).fill('cod')
  await page.getByRole('button', { name: 'codex', exact: true }).waitFor()
  const held = await hold(page, (request) => request.url().includes('suggest'))
  await page.getByRole('textbox', { name: 'Agent' }).press('Enter')
  await held.asked
  await page.getByRole('textbox', { name: 'Agent' }).press('Escape')
  await page.getByRole('navigation').getByRole('link', { name: 'Specs' }).click()
  await page.waitForURL('**/#/specs**')
  const answered = page.waitForResponse((response) => response.url().includes('suggest'))
  await held.release()
  await answered
  await page.waitForTimeout(200)
  assert.match(page.url(), /#\/specs/)
})

test('a search shows more runs on demand, also those of which a filter knows by a turn or a check', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (let n = 0; n < 104; n++) await client.createRun({ title: `Okapi ${n}`, agent: 'codex' })
  await client.appendTurn({ runId: 'RUN-001', prompt: 'Feed the zebra' })
  await client.createCheck({ runId: 'RUN-002', result: 'fail', content: 'expected a zebra' })
  await page.goto(`${home}#/runs?q=okapi`)
  await page.getByRole('button', { name: 'Show more' }).click()
  await page.getByRole('button', { name: 'Show more' }).waitFor({ state: 'detached' })
  assert.equal(await page.locator('.results .title').count(), 104)
  await page.goto(`${home}#/runs?q=zebra&agent=codex`)
  await page.locator('.results').getByText('expected a zebra').waitFor()
  assert.deepEqual(await page.locator('.results .title').allTextContents(), ['Okapi 0', 'Okapi 1'])
  await page.goto(`${home}#/runs?q=giraffe`)
  await page.getByText('No run contains all of these words.').waitFor()
})

test('a view is an address with a name, stored in this browser', async (t) => {
  const { page, client, home } = await openPage(t, '#/runs?status=failed&agent=ci')
  await client.createRun({ title: 'Bad night', status: 'failed', agent: 'ci' })
  await client.createRun({ title: 'Good day', status: 'completed' })
  await page.getByText('Views', { exact: true }).click()
  await page.getByRole('button', { name: 'Save this view' }).click()
  // The first field has the focus, not the button that closes the dialog.
  await page.keyboard.type('Bad nights')
  await page.keyboard.press('Enter')
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

test('a filter by day has the whole day, from its midnight on', async (t) => {
  const { page, client, home } = await openPage(t, blank, { timezoneId: 'Europe/Berlin' })
  const moments = {
    'Last of Saturday': '2026-10-24T21:59:59.999Z',
    'First of Sunday': '2026-10-24T22:00:00Z',
    'Last of Sunday': '2026-10-25T22:59:59.999Z',
    'First of Monday': '2026-10-25T23:00:00Z',
  }
  for (const [title, at] of Object.entries(moments)) {
    await client.createRun({ title, createdAt: at, status: 'completed', endedAt: at })
  }
  for (const name of ['created', 'ended']) {
    await page.goto(`${home}#/runs?${name}After=2026-10-25&${name}Before=2026-10-26`)
    await page.getByRole('link', { name: 'First of Sunday' }).waitFor()
    await page.getByRole('link', { name: 'First of Monday' }).waitFor({ state: 'detached' })
    assert.deepEqual(await titles(page), ['Last of Sunday', 'First of Sunday'])
  }
})

test('a further value of a filter that has only one is reported', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (const agent of ['codex', 'ci']) await client.createRun({ title: `Of ${agent}`, agent })
  await page.goto(`${home}#/runs?agent=codex&agent=ci&label=a:b&label=c:d`)
  await page.getByText("agent 'ci' was ignored: only one can be given.").waitFor()
  assert.equal(await page.locator('main .problem').count(), 1, 'labels may be given several times')
  await page.getByTitle('Remove Agent: codex').click()
  await page.getByText('was ignored').waitFor({ state: 'detached' })
})
