import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { blank, openPage } from '../support/browser.ts'
import { adminKey } from '../support/server.ts'

test('the board shows specs by status, with checklist and verdicts, and a card can be moved by keyboard', async (t) => {
  const { page, client, home } = await openPage(t, '#/specs')
  await page.getByText('conduct spec create').waitFor()
  await client.createSpec({ specId: 'AUTH-001', content: '# Log in\n\n- [x] one\n- [ ] two\n- [ ] three' })
  await client.createSpec({ specId: 'AUTH-002', title: 'Log out', status: 'completed' })
  await client.createRun({ specId: 'AUTH-001', status: 'completed' })
  await client.createCheck({ runId: 'RUN-001', name: 'tests', result: 'pass' })
  const draft = page.getByRole('region', { name: /^Draft/ })
  await draft.getByRole('link', { name: 'Log in' }).waitFor()
  assert.equal(await draft.getByRole('progressbar', { name: '1 of 3 done' }).count(), 1)
  await page.reload()
  await draft.getByText('Verified', { exact: true }).waitFor()
  const height = (await draft.locator('.card').boundingBox())?.height ?? 0
  assert.ok(height <= 100, `${height} px`)
  assert.equal(await draft.getByText('default', { exact: true }).count(), 0, 'all cards are of one project')

  await draft.getByRole('link', { name: 'Log in' }).focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await page.waitForFunction(() => document.activeElement?.textContent === 'to Pending')
  await page.keyboard.press('Enter')
  const pending = page.getByRole('region', { name: /^Pending/ })
  await pending.getByRole('link', { name: 'Log in' }).waitFor()
  await page.getByRole('status').getByText('AUTH-001 is now Pending.').waitFor()
  await page.waitForFunction(() => document.activeElement?.textContent === 'Log in')
  assert.equal((await client.getSpec({ specId: 'AUTH-001' })).spec.status, 'pending')

  await page.keyboard.press('/')
  await page.keyboard.type('out')
  await pending.getByRole('link', { name: 'Log in' }).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'Log out' }).waitFor()
  await page.getByRole('searchbox', { name: 'Search in titles and ids' }).fill('auth-002')
  await page.waitForURL(/q=auth-002/)
  await page.getByRole('link', { name: 'Log out' }).waitFor()
  await page.getByRole('searchbox').fill('out')
  await client.createProject({ slug: 'shop' })
  await createClient({ url: home.slice(0, -1), key: adminKey, project: 'shop' }).createSpec({
    specId: 'A',
    title: 'Sold out',
  })
  await page.locator('.card', { hasText: 'Sold out' }).getByText('shop', { exact: true }).waitFor()
})

test('a card shows its project in full beside its checklist, in a wide font, too', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createProject({ slug: 'web' })
  const content = '# Pay\n\n- [x] one\n- [ ] two\n- [ ] three\n'
  await createClient({ url: home.slice(0, -1), key: adminKey, project: 'web' }).createSpec({
    specId: 'SHOP-035',
    content,
  })
  await client.createSpec({ specId: 'AUTH-001' })
  const slug = 'a-project-with-a-long-name-of-its-own'
  await client.createProject({ slug })
  const all = `${'- [x] done\n'.repeat(100)}${'- [ ] open\n'.repeat(20)}`
  const long = createClient({ url: home.slice(0, -1), key: adminKey, project: slug })
  await long.createSpec({ specId: 'LONG-1', content: `# Long\n\n${all}` })
  await page.goto(`${home}#/specs`)
  await page.locator('.card').getByText('web', { exact: true }).waitFor()
  await page.evaluate(() => document.documentElement.style.setProperty('--sans', '"DejaVu Sans", Verdana, sans-serif'))
  const cut = await page
    .locator('.card .facts > *')
    .evaluateAll((all) => all.filter((it) => it.scrollWidth > it.clientWidth).map((it) => it.textContent))
  assert.deepEqual(
    cut.filter((text) => text !== slug),
    [],
  )
  const [card, checklist] = await Promise.all(
    ['', ' .checklist'].map((part) => page.locator(`.card:has-text("LONG-1")${part}`).boundingBox()),
  )
  const end = (box: typeof card) => (box ? box.x + box.width : Number.NaN)
  assert.ok(end(checklist) <= end(card) - 8, `${end(checklist)} is not within ${end(card)}`)
})

test('the specs are also a list, and a spec shows the newest check of each name over its runs', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createSpec({ specId: 'A-1', title: 'Log in' })
  const check = (runId: string, name: string, result: 'pass' | 'fail') =>
    client.createCheck({ runId, name, result, command: `npm run ${name}`, exitCode: result === 'pass' ? 0 : 1 })
  for (const runId of ['OLD', 'NEW']) await client.createRun({ runId, specId: 'A-1', status: 'completed' })
  await check('OLD', 'lint', 'pass')
  await check('OLD', 'tests', 'fail')
  await check('NEW', 'tests', 'fail')
  await check('NEW', 'tests', 'pass')
  await page.goto(`${home}#/specs`)
  await page.getByRole('link', { name: 'List', exact: true }).click()
  const row = page.locator('.spec-list li')
  await row.getByText('Verified', { exact: true }).waitFor()
  await row.getByRole('link', { name: 'Log in' }).click()
  const checks = page.getByRole('region', { name: 'Checks' }).getByRole('listitem')
  await checks.nth(1).waitFor()
  const words = (await checks.allTextContents()).map((text) => /^(Pass|Fail)(lint|tests)/.exec(text)?.[0])
  assert.deepEqual(words, ['Passtests', 'Passlint'])
  await checks.nth(1).getByRole('link', { name: 'OLD' }).waitFor()
})

test('a failed check of a spec is shown however many checks of other names came after it', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createSpec({ specId: 'A-1', title: 'Passkeys' })
  await client.createRun({ runId: 'R-1', specId: 'A-1', status: 'completed' })
  await client.createCheck({ runId: 'R-1', name: 'security', result: 'fail' })
  for (let n = 2; n <= 51; n++) {
    await client.createRun({ runId: `R-${n}`, specId: 'A-1', status: 'completed' })
    for (const name of ['tests', 'lint']) await client.createCheck({ runId: `R-${n}`, name, result: 'pass' })
  }
  await page.goto(`${home}#/specs/default/A-1`)
  const checks = page.getByRole('region', { name: 'Checks' }).getByRole('listitem')
  await checks.first().waitFor()
  const shown = (await checks.allTextContents()).map((text) => /lint|tests|security/.exec(text)?.[0])
  assert.deepEqual(shown, ['lint', 'tests', 'security'])
})

test('a card that was moved gets the focus once, and not again when another spec changes', async (t) => {
  const { page, client } = await openPage(t, '#/specs')
  await client.createSpec({ specId: 'A-1', title: 'Ours' })
  const draft = page.getByRole('region', { name: /^Draft/ })
  await draft.getByText('Move', { exact: false }).first().click()
  await draft.getByRole('button', { name: 'to Archived' }).click()
  await page.waitForFunction(() => document.activeElement?.textContent === 'Ours')
  await page.getByRole('main').click({ position: { x: 2, y: 2 } })
  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
  await client.createSpec({ specId: 'A-2', title: 'Another' })
  await draft.getByRole('link', { name: 'Another' }).waitFor()
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'BODY')
})

test('moving a card that somebody else has moved is an error, and the page shows where it is', async (t) => {
  const { page, client } = await openPage(t, '#/specs')
  await client.createSpec({ specId: 'A-1', title: 'Ours' })
  const draft = page.getByRole('region', { name: /^Draft/ })
  await draft.getByText('Move', { exact: false }).click()
  let writes = 0
  await page.route('**/v1/specs/A-1', async (route) => {
    const isFirstWrite = route.request().method() === 'PATCH' && writes++ === 0
    if (isFirstWrite) await client.updateSpec({ specId: 'A-1', agent: 'ci' })
    await route.continue()
  })
  await draft.getByRole('button', { name: 'to Archived' }).click()
  await page.getByRole('alert').getByText('Somebody else changed this').waitFor()
  await draft.getByText('ci', { exact: true }).waitFor()
  assert.equal((await client.getSpec({ specId: 'A-1' })).spec.status, 'draft')
})

test('a user who can only read cannot move cards', async (t) => {
  const { page, client } = await openPage(t, '#/specs', { permissions: ['read'] })
  await client.createSpec({ specId: 'A-1', title: 'Ours' })
  await page.getByRole('link', { name: 'Ours' }).waitFor()
  assert.equal(await page.getByText('Move').count(), 0)
  assert.equal(await page.getByRole('link', { name: 'Keys' }).count(), 0)
})

test('the page of a spec shows what is left, its runs and totals, and how to start the next attempt', async (t) => {
  const { page, client, home } = await openPage(t, '#/specs/default/AUTH-001')
  await page
    .getByText('There is no spec AUTH-001 in project default: nobody has written it yet, or it was deleted.')
    .waitFor()
  await client.createSpec({ specId: 'AUTH-001', content: '# Log in\n\n- [x] first thing\n- [ ] other thing\n' })
  const left = page.getByRole('region', { name: /^What is left/ })
  await left.getByText('other thing').waitFor()
  assert.equal(await left.getByText('first thing').count(), 0)
  assert.equal(await page.getByRole('heading', { name: 'Log in', exact: true }).count(), 1)
  await page.getByText('conduct exec --project default --spec-id AUTH-001 -- ', { exact: false }).first().waitFor()

  const totals = page
    .getByRole('complementary', { name: 'About this spec' })
    .locator('dd')
    .getByText('—', { exact: true })
  await totals.nth(1).waitFor()

  const usage = {
    inputTokens: 10,
    outputTokens: 5,
    cacheReadTokens: 4,
    costUsd: 0.25,
    costSource: 'estimated' as const,
  }
  await client.createRun({ specId: 'AUTH-001', title: 'Try', status: 'failed', usage })
  await client.createRun({ specId: 'AUTH-001', title: 'Again', retryOf: 'RUN-001', status: 'completed', usage })
  const about = page.getByRole('complementary', { name: 'About this spec' })
  await about.getByText('2, 1 of them further attempts').waitFor()
  await about.getByText('20 in, 10 out').waitFor()
  await about.getByText('$0.50').waitFor()
  await page.getByRole('link', { name: 'Runs', exact: true }).last().click()
  await page.locator('.brief', { hasText: 'Again' }).getByText('attempt 2, v1').waitFor()

  await client.updateSpec({ specId: 'AUTH-001', content: '# Log in\n\n- [x] first thing\n- [x] other thing\n' })
  await page.getByRole('link', { name: 'Versions' }).click()
  await page.locator('del', { hasText: '- [ ] other thing' }).waitFor()
  await page.locator('ins', { hasText: '- [x] other thing' }).waitFor()
  await page.locator('.versions li', { hasText: 'v2' }).getByText('by first admin').waitFor()
  await page.getByLabel('to version').selectOption('1')
  const text = page.getByRole('region', { name: 'Text of version 1' })
  await text.getByText('other thing').waitFor()
  await page.goBack()
  await page.locator('ins').waitFor()
  await page.getByRole('link', { name: 'Spec', exact: true }).click()
  await page.getByText('Nothing: all items of the checklist are done.').waitFor()

  // A run leads to the version that it used.
  await page.goto(`${home}#/runs/default/RUN-002`)
  await page.getByRole('link', { name: 'AUTH-001 v1' }).click()
  await text.getByText('other thing').waitFor()
  assert.equal(await page.getByRole('link', { name: 'Versions' }).getAttribute('aria-current'), 'true')
  await page.getByRole('link', { name: 'Text of version 1' }).focus()
  await page.keyboard.press('2')
  await page.locator('h1:focus').waitFor()
  await client.createRun({ specId: 'AUTH-001' })
  await page.goto(`${home}#/runs/default/RUN-003`)
  await page.getByRole('link', { name: 'AUTH-001 v2' }).click()
  await page.getByText('Nothing: all items of the checklist are done.').waitFor()
})

test('the list of specs says as the board does that a status has more of them', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (let n = 0; n <= 100; n++) await client.createSpec({ specId: `S-${n}` })
  const note = page.getByText('The search finds the others.')
  for (const view of ['', '?view=list']) {
    await page.goto(`${home}#/specs${view}`)
    await page.locator(view === '' ? '.board' : '.spec-list').waitFor()
    await note.waitFor()
  }
  await client.deleteSpec({ specId: 'S-7' })
  await note.waitFor({ state: 'detached' })
})
