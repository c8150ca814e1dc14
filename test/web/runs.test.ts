import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { blank, openPage } from '../support/browser.ts'
import { freePort } from '../support/setup.ts'

const titles = (page: Page) => page.locator('table.runs .title').allTextContents()

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
  const { page, client, restart } = await openPage(t, '', { port: await freePort() })
  await client.createRun({ title: 'Good', status: 'completed' })
  await client.createRun({ title: 'Bad', status: 'failed' })
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await page.locator('table.runs').getByRole('link', { name: 'Good' }).waitFor()
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
  const { page, client, context, live } = await openPage(t)
  await live
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
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'Login', content: '# Login\n\nThe passkey works.' })
  await client.createRun({ title: 'Logout' })
  await client.createRun({ title: 'Register', content: 'A passkey is made.' })
  // The page is opened only now, because an open list announces new runs without showing them.
  await page.goto(`${home}#/runs`)
  await page.getByRole('link', { name: 'Login' }).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('passkey')
  await page.locator('mark', { hasText: 'passkey' }).first().waitFor()
  await page.waitForURL(/#\/runs\?q=passkey$/)
  assert.deepEqual(await page.locator('.results .title').allTextContents(), ['Register', 'Login'])
  for (const [key, title] of [
    ['Escape', 'Register'],
    ['j', 'Login'],
    ['j', 'Login'],
    ['k', 'Register'],
  ] as const) {
    await page.keyboard.press(key)
    assert.equal(await page.locator(':focus').textContent(), title, key)
  }
  await page.goBack()
  await page.getByRole('link', { name: 'Logout' }).waitFor()
})

test('a search finds the files that turns wrote, and leads to their changes', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { runId } = (await client.createRun({ title: 'Login' })).run
  await client.appendTurn({ runId, n: 1, prompt: 'Go.' })
  const patch = '@@ -1 +1 @@\n-password\n+passkey\n'
  await client.addDiffs({ runId, turn: 1, diffs: [{ path: 'src/login.ts', change: { status: 'modified', patch } }] })
  await page.goto(`${home}#/runs?q=passkey`)
  const part = page.locator('.results .parts', { hasText: 'src/login.ts' })
  await part.getByText('in turn 1:').waitFor()
  await part.locator('mark', { hasText: 'passkey' }).waitFor()
  await part.getByRole('link', { name: 'src/login.ts' }).click()
  await page.waitForURL(/view=changes&turn=1&file=src%2Flogin.ts$/)
  await page
    .getByText('+passkey')
    .or(page.locator('.diff-files', { hasText: 'passkey' }))
    .first()
    .waitFor()
})

test('an excerpt of terminal output has no escape sequences', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const content = 'start\n\x1b[32mok\x1b[0m refuses \x1b[1mall\x1b[0m passkeys of others\n'
  await client.createRun({ title: 'Tests', content, contentType: 'text/x-terminal' })
  await page.goto(`${home}#/runs?q=passkeys`)
  const snippet = page.locator('.results .snippet')
  await snippet.locator('mark').waitFor()
  assert.match((await snippet.textContent()) ?? '', /ok refuses all passkeys of others/)
})

test('a hit in the log of a run leads to its line, and one in its facts does not', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const content = `${Array.from({ length: 400 }, (_, n) => `line ${n}`).join('\n')}\nthe Passkey was refused\nend\n`
  const { runId } = (await client.createRun({ title: 'Tests', content, contentType: 'text/x-terminal' })).run
  await client.appendTurn({ runId, prompt: 'Mend the passkey.' })
  await client.createRun({ title: 'Elsewhere', content: 'start\n', git: { branch: 'passkey/refused' } })
  await page.goto(`${home}#/runs?q=passkey`)
  const row = (title: string) => page.locator('.results > li', { hasText: title })
  await row('Elsewhere').waitFor()
  assert.equal(await row('Elsewhere').getByRole('link', { name: 'Log' }).count(), 0)
  await row('Tests').getByRole('link', { name: 'Turn 1' }).waitFor()
  await row('Tests').getByRole('link', { name: 'Log' }).click()
  await page.waitForURL(/view=log&find=passkey$/)
  await page.locator('.marked', { hasText: 'the Passkey was refused' }).waitFor()
  await page.goto(`${home}#/runs?q=refused+was`)
  await row('Tests').getByRole('link', { name: 'Log' }).click()
  await page.waitForURL(/view=log&find=refused\+was$/)
  await page.locator('.marked', { hasText: 'the Passkey was refused' }).waitFor()

  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('line 398')
  await page.getByRole('option', { name: /^Tests/ }).click()
  await page.locator('.marked', { hasText: 'line 398' }).waitFor()
  await page.getByRole('link', { name: 'Line 397' }).click()
  await page.reload()
  await page.locator('.marked', { hasText: 'line 396' }).waitFor()
})

test('the exact time of a run names the time zone', async (t) => {
  const { page, client, home } = await openPage(t, blank, { timezoneId: 'Asia/Tokyo' })
  await client.createRun({ title: 'One', createdAt: '2026-03-02T08:00:00.000Z' })
  await page.goto(`${home}#/runs`)
  await page.getByTitle('Mar 2, 2026, 5:00:00 PM GMT+9', { exact: true }).waitFor()
})

test('on the way back from a run, its row has the focus, from which the keys go on', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (let n = 0; n < 60; n++) await client.createRun({})
  await page.goto(`${home}#/runs`)
  await page.locator('tbody .title').first().waitFor()
  await page.mouse.move(600, 400)
  await page.mouse.wheel(0, 1200)
  await page.waitForFunction(() => scrollY === 1200)
  await page.locator('tbody tr', { hasText: 'RUN-025' }).getByRole('link').click()
  await page.getByRole('heading', { level: 1, name: 'RUN-025' }).waitFor()
  await page.goBack()
  await page.waitForFunction(() => document.activeElement?.textContent === 'RUN-025')
  await page.waitForFunction(() => scrollY === 1200)
  await page.keyboard.press('j')
  await page.waitForFunction(() => document.activeElement?.textContent === 'RUN-024')
  for (const key of ['j', 'j', 'Enter']) await page.keyboard.press(key)
  await page.getByRole('heading', { level: 1, name: 'RUN-022' }).waitFor()
  await page.goBack()
  await page.waitForFunction(() => document.activeElement?.textContent === 'RUN-022')
})

test('on the way back from a run, the list is where it was left, also after its filters changed', async (t) => {
  const { page, client, home } = await openPage(t, blank)
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

/** Holds the next response whose query the function accepts, until the returned function is called. */
async function holdNext(page: Page, isMeant: (query: URLSearchParams) => boolean): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let isHeld = false
  await page.route(/\/v1\/runs\?/, async (route) => {
    if (isHeld || !isMeant(new URL(route.request().url()).searchParams)) return route.fallback()
    isHeld = true
    const response = await route.fetch()
    await promise
    await route.fulfill({ response })
  })
  return resolve
}

test('a page that was asked for before the list started again leaves no gap in it', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (let n = 1; n <= 150; n++) await client.createRun({ title: `Run ${n}` })
  const release = await holdNext(page, (query) => query.has('cursor') && !query.has('createdAfter'))
  const asked = page.waitForRequest(/cursor=/)
  await page.goto(`${home}#/runs`)
  await page.getByText('Run 150').waitFor()
  await page.mouse.wheel(0, 10_000)
  await asked
  await client.createRun({ title: 'Run 151' })
  await page.getByRole('button', { name: '1 new run' }).click()
  await page.getByText('Run 151').waitFor()
  release()
  await page.mouse.wheel(0, 10_000)
  await page.locator('table.runs[aria-rowcount="152"]').waitFor()
})

test('a run that is deleted while the list is read does not stay in it', async (t) => {
  const { page, client, home, live } = await openPage(t, '#/runs')
  await live
  for (const title of ['First', 'Second', 'Deleted']) await client.createRun({ title })
  const release = await holdNext(page, (query) => query.get('order') === 'asc')
  const asked = page.waitForRequest(/order=asc/)
  const isHeard = page.evaluate(
    (name) =>
      new Promise<void>((resolve) => {
        const news = new BroadcastChannel(name)
        news.onmessage = ({ data }) => data.event?.type === 'run.deleted' && resolve()
      }),
    `conduct ${home}`,
  )
  await page.getByRole('button', { name: 'Created' }).click()
  await asked
  await client.deleteRun({ runId: 'RUN-003' })
  await isHeard
  release()
  await page.locator('table.runs[aria-rowcount="3"]:not([aria-busy=true])').waitFor()
  assert.deepEqual(await titles(page), ['First', 'Second'])
})

test('the end of the rows of earlier filters asks for no page of the new ones, which would leave a gap', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (let n = 1; n <= 430; n++) await client.createRun({ status: 'failed' })
  const scrollToEnd = (row: number) =>
    page.waitForFunction((row) => {
      scrollBy(0, document.body.scrollHeight)
      return [...document.querySelectorAll('[data-row]')].some((one) => Number(one.getAttribute('data-row')) >= row)
    }, row)
  await page.goto(`${home}#/runs`)
  await scrollToEnd(199)
  await page.evaluate(() => scrollTo(0, 0))
  await page.locator('[data-row="0"]').waitFor()
  const releaseFirst = await holdNext(page, (query) => query.has('status') && !query.has('cursor'))
  const releaseSecond = await holdNext(page, (query) => query.has('status') && query.has('cursor'))
  await page.goto(`${home}#/runs?status=failed`)
  await page.locator('table.runs[aria-busy=true]').waitFor()
  await scrollToEnd(199)
  releaseFirst()
  await page.locator('table.runs:not([aria-busy=true])').waitFor()
  releaseSecond()
  await scrollToEnd(429)
  await page.locator('table.runs[aria-rowcount="431"]').waitFor()
})

test('a list of the oldest runs first counts new ones when it is read to its end', async (t) => {
  const { page, client, home, live } = await openPage(t, '#/runs')
  await live
  for (let n = 1; n <= 100; n++) await client.createRun({})
  await page.goto(`${home}#/runs?order=asc`)
  await page.locator('table.runs[aria-rowcount="101"]').waitFor()
  for (let n = 1; n <= 2; n++) await client.createRun({})
  await page.getByRole('button', { name: '2 new runs' }).click()
  await page.locator('table.runs[aria-rowcount="-1"]').waitFor()
  await page.getByRole('button', { name: /new run/ }).waitFor({ state: 'detached' })
  await page.mouse.move(600, 400)
  await page.mouse.wheel(0, 10_000)
  await page.locator('table.runs[aria-rowcount="103"]').waitFor()
})
