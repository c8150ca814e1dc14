import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { blank, openPage } from '../support/browser.ts'

const dayMs = 86_400_000

test('trends show the results of a period as figures, as sentences and as a table', async (t) => {
  const { page, client, home } = await openPage(t, '#/trends')
  await page.getByText('No runs in the last 30 days').waitFor()
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
  await client.createRun({ title: 'Long ago', status: 'failed', createdAt: ago(10 * dayMs), endedAt: ago(10 * dayMs) })
  const createdAt = ago(90_000)
  const endedAt = new Date(Date.parse(createdAt) + 90_000).toISOString()
  const good = { title: 'Good', status: 'completed', usage: { costUsd: 1.5 } } as const
  const { runId } = (await client.createRun({ ...good, createdAt, endedAt })).run
  await client.createCheck({ runId, name: 'tests', result: 'pass' })
  const trends = page.getByRole('main')
  const figures = () => trends.locator('dd b').allTextContents()
  await trends.getByText('1 of 2 that ended').waitFor()
  await trends.getByText('1 of 2 runs verified').waitFor()
  await trends.getByText('reported or estimated for 1 of 2 runs').waitFor()
  assert.deepEqual(
    (await figures()).filter((_, index) => index !== 3 && index !== 4),
    ['2', '50%', '50%', '$1.50', '—'],
  )
  await trends.getByText(/^Runs by status, each day in .*: 1 completed, 1 failed\.$/).waitFor()
  await trends.getByText(/^Cost in US dollars, each day in .*: \$1\.50\.$/).waitFor()
  await trends.getByText(/^Tokens, each day in .*: none known\.$/).waitFor()
  // The code of the charts is loaded separately.
  await trends.locator('canvas').nth(3).waitFor()
  assert.equal(await trends.locator('canvas').count(), 4)

  await trends.getByRole('link', { name: '7 days' }).click()
  await trends.getByText('1 of 1 that ended').waitFor()
  assert.equal(page.url(), `${home}#/trends?days=7`)
  assert.match((await figures()).join(), /^1,100%,100%,1m 30s,1m 30s,\$1.50,—$/)
  await trends.getByText('As a table').first().click()
  assert.equal(await trends.getByRole('region', { name: 'Runs by status, as a table' }).getByRole('row').count(), 8)
  await page.goBack()
  await trends.getByText('1 of 2 that ended').waitFor()
})

test('a row leads to the runs of the same projects and days', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createProject({ slug: 'shop' })
  const createdAt = new Date(Date.now() - 10 * dayMs).toISOString()
  await client.createRun({ title: 'Long ago', agent: 'codex', createdAt })
  await client.createRun({ title: 'Ours', agent: 'codex' })
  await page.goto(`${home}#/trends?project=default&days=7`)
  await page.locator('.whole').getByRole('link', { name: 'codex' }).click()
  await page.getByRole('link', { name: 'Ours' }).waitFor()
  assert.match(page.url(), /#\/runs\?project=default&createdAfter=\d{4}-\d\d-\d\d&agent=codex$/)
  assert.equal(await page.getByRole('link', { name: 'Long ago' }).count(), 0)
})

test('a cost that is known for some runs only says for how many, so that rows are not compared by it', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const usage = { costUsd: 1.5 }
  for (const more of [{ usage }, {}, {}]) await client.createRun({ agent: 'codex', ...more })
  await client.createRun({ agent: 'cursor', usage })
  await page.goto(`${home}#/trends`)
  const costOf = (name: string) => page.locator('.whole').getByRole('row', { name }).getByRole('cell').nth(3)
  await costOf('codex').getByText('$1.50, known for 1', { exact: true }).waitFor()
  assert.equal(await costOf('cursor').textContent(), '$1.50')
  await page.getByRole('columnheader', { name: 'Median duration' }).waitFor()
})

test("a day is a day in the viewer's time zone, not the server's", async (t) => {
  const { page, client, home } = await openPage(t, blank, { timezoneId: 'Pacific/Kiritimati' })
  const { run } = await client.createRun({ title: 'One' })
  await page.goto(`${home}#/trends`)
  await page.getByText('Runs by status, each day in Pacific/Kiritimati: 1 pending.').waitFor()
  await page.getByText('As a table').first().click()
  const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'Pacific/Kiritimati' })
  const there = day.format(new Date(run.createdAt))
  await page.getByRole('row', { name: `${there} 1` }).waitFor()
})

test("charts are drawn if Intl does not know the browser's language or time zone", async (t) => {
  const { page, client, home } = await openPage(t, blank, {
    before: `
      Object.defineProperty(Navigator.prototype, 'language', { get: () => 'en-US@posix' })
      const { resolvedOptions } = Intl.DateTimeFormat.prototype
      Intl.DateTimeFormat.prototype.resolvedOptions = function () {
        return { ...resolvedOptions.call(this), timeZone: 'Etc/Unknown' }
      }`,
  })
  await client.createRun({ title: 'One' })
  await page.goto(`${home}#/trends`)
  await page.getByText('Runs by status, each day in UTC: 1 pending.').waitFor()
  await page.locator('.bars canvas').nth(3).waitFor()
})

test('the row of an author leads to as many runs as it counts', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (const author of ['Ada Lund <ada@example.com>', 'Ada Lund <ada@example.com>', 'ADA <ADA@example.com>', 'Ada']) {
    await client.createRun({ author, status: 'completed' })
  }
  await page.goto(`${home}#/trends?by=author`)
  const row = page.getByRole('region', { name: 'Runs by author' }).getByRole('row', { name: 'Ada Lund' })
  assert.equal(await row.locator('td').first().textContent(), '3')
  await row.getByRole('link').click()
  await page.locator('table.runs[aria-rowcount="4"]').waitFor()
  assert.match(page.url(), /author=ada%40example\.com/)
})

test('runs are compared by agent, author, spec, project and model, and the table is downloaded as shown', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const usage = { model: 'm-1', inputTokens: 1200, outputTokens: 34, costUsd: 0.25 }
  await client.createRun({ agent: '=HYPERLINK("x")', author: 'Jürgen, Ada', specId: 'A-1', status: 'completed', usage })
  await client.createRun({ agent: 'codex', status: 'failed' })
  await client.createRun({ agent: 'codex', status: 'completed' })
  await client.createRun({ agent: 'codex', status: 'in_progress' })
  await page.goto(`${home}#/trends`)
  const table = page.getByRole('region', { name: 'Runs by agent' })
  const cells = (name: string) => table.getByRole('row', { name }).locator('td').allTextContents()
  await table.getByRole('link', { name: 'codex' }).waitFor()
  assert.deepEqual((await cells('codex')).slice(0, 5), ['3', '50%', '0%', '—', '—'])
  assert.deepEqual((await cells('=HYPER')).slice(0, 5), ['1', '100%', '0%', '$0.25', '1.2K in, 34 out'])

  const saved = async (name: string) => {
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: `Download CSV of ${name}` }).click()
    const file = await download
    assert.equal(file.suggestedFilename(), `${name}.csv`)
    return readFileSync(await file.path(), 'utf8').split('\r\n')
  }
  const lines = await saved('runs-by-agent-30-days')
  const columns = 'completed,failed,verified,cost_usd,cost_known_for_runs,input_tokens,output_tokens'
  assert.equal(lines[0], `\ufeffagent,runs,${columns},median_ms,p90_ms`)
  assert.match(lines[1] ?? '', /^codex,3,1,1,0,,0,,,\d+,\d+$/)
  assert.match(lines[2] ?? '', /^"'=HYPERLINK\(""x""\)",1,1,0,0,0.25,1,1200,34,\d+,\d+$/)
  assert.equal((await saved('runs-by-day-30-days')).length, 32)

  for (const [tab, value] of [
    ['Author', 'Jürgen, Ada'],
    ['Spec', 'A-1'],
    ['Project', 'default'],
    ['Model', 'm-1'],
  ] as const) {
    await page.getByRole('navigation', { name: 'Compare by' }).getByRole('link', { name: tab }).click()
    await page.getByRole('rowheader', { name: value, exact: true }).waitFor()
  }
  await page.getByRole('navigation', { name: 'Compare by' }).getByRole('link', { name: 'Spec' }).click()
  await page.getByRole('rowheader', { name: '—' }).waitFor()
  await page.getByRole('link', { name: 'A-1' }).click()
  await page.waitForURL(/#\/runs\?createdAfter=[\d-]+&specId=A-1$/)
  await page.goto(`${home}#/trends?by=model`)
  await page.getByRole('link', { name: 'm-1' }).click()
  await page.waitForURL(/#\/runs\?createdAfter=[\d-]+&model=m-1$/)
})

test('a run of two models is in the row of each, with what its turns used', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { runId } = (await client.createRun({ title: 'Two models', status: 'in_progress' })).run
  await client.appendTurn({ runId, usage: { model: 'opus-x', inputTokens: 1000, outputTokens: 10, costUsd: 9 } })
  await client.appendTurn({ runId, usage: { model: 'haiku-x', inputTokens: 10, outputTokens: 1, costUsd: 0.01 } })
  await page.goto(`${home}#/trends?by=model`)
  const cells = (name: string) => page.getByRole('row', { name }).locator('td').allTextContents()
  await page.getByText('A run that used several models is in the row of each').waitFor()
  const shown = [await cells('opus-x'), await cells('haiku-x')].map(([runs, , , cost, tokens]) => [runs, cost, tokens])
  assert.deepEqual(shown, [
    ['1', '$9.00', '1K in, 10 out'],
    ['1', '$0.01', '10 in, 1 out'],
  ])
  await page.locator('.figures').getByText('$9.01').waitFor()
  await page.getByRole('link', { name: 'opus-x' }).click()
  await page.getByRole('link', { name: 'Two models' }).waitFor()
})

test('the trends call neither nearly all 100% nor a few 0%', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ runId: 'BAD', status: 'failed', agent: 'long-'.repeat(40), usage: { costUsd: 12_345.67 } })
  for (let n = 0; n < 200; n++) await client.createRun({ runId: `RUN-${n}`, status: 'completed' })
  await client.createCheck({ runId: 'RUN-0', name: 'tests', result: 'pass' })
  await page.goto(`${home}#/trends`)
  const figure = async (name: string) =>
    (await page.locator('.figures div', { hasText: name }).locator('b').textContent()) ?? ''
  await page.getByText('200 of 201 that ended').waitFor()
  assert.deepEqual(await Promise.all(['Success', 'Verified', 'Cost'].map(figure)), ['> 99%', '< 1%', '$12,345.67'])
  const table = page.getByRole('region', { name: 'Runs by agent' })
  const [width, room] = await table.evaluate((it) => [it.scrollWidth, it.clientWidth])
  assert.equal(width, room, 'a long name leaves the other columns in sight')
})

test('while another comparison loads, the page shows the earlier one under its own headings', async (t) => {
  const { page, client } = await openPage(t, '#/trends')
  await client.createRun({ title: 'One', agent: 'claude-code', author: 'Ada <ada@example.com>' })
  const table = page.getByRole('region', { name: 'Runs by agent' })
  await table.getByText('claude-code').waitFor()
  const { promise, resolve } = Promise.withResolvers<void>()
  await page.route(/by=author/, async (route) => {
    await promise
    await route.continue()
  })
  await page.getByRole('link', { name: '7 days' }).click()
  await page.getByText('in 7 days').waitFor()
  await page.getByRole('link', { name: 'Author' }).click()
  await page.locator('nav [aria-current]', { hasText: 'Author' }).waitFor()
  assert.equal(await table.getByRole('columnheader').first().textContent(), 'Agent')
  assert.equal(
    await table
      .getByText('claude-code')
      .getAttribute('href')
      .then((to) => to?.includes('agent=')),
    true,
  )
  resolve()
  await page.getByRole('region', { name: 'Runs by author' }).getByText('Ada').waitFor()
})
