import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage } from '../support/browser.ts'

test('activity tells what happens as it happens, in sentences, by filters of the address', async (t) => {
  const { page, client, home } = await openPage(t, '#/activity?type=run.created&type=run.updated')
  await page.getByText('No events match these filters').waitFor()
  await client.createRun({ title: 'Add a limit' })
  const lines = page.locator('.activity li')
  await lines.filter({ hasText: 'created run RUN-001' }).waitFor()
  await client.updateRun({ runId: 'RUN-001', status: 'completed' })
  const completed = lines.filter({ hasText: 'completed run RUN-001' })
  await completed.getByText(/fields?$/).click()
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

test('activity goes back to the beginning as it is scrolled', async (t) => {
  const { page, client } = await openPage(t)
  for (let n = 0; n < 250; n++) await client.createFeature({ name: `part ${n}` })
  await page.goto(`${page.url()}#/activity?type=feature.created`)
  const lines = page.locator('.activity li')
  await lines.filter({ hasText: 'feature 250' }).waitFor()
  assert.ok((await lines.count()) < 250)
  await page.waitForFunction(() => {
    scrollBy(0, 4000)
    return [...document.querySelectorAll('button')].every(({ textContent }) => textContent !== 'Show older')
  })
  assert.equal(await lines.count(), 250)
  await lines.last().getByText('part 0').waitFor()
})

test('activity keeps a bounded number of events, whatever arrives', async (t) => {
  const { page, client } = await openPage(t, '#/activity?type=run.updated')
  await page.getByText('No events match these filters').waitFor()
  await client.createRun({ runId: 'A', status: 'in_progress' })
  // Labels differ each time, so that no two events are one line.
  for (let n = 0; n < 1100; n += 20) {
    await Promise.all(
      Array.from({ length: 20 }, (_, m) => client.updateRun({ runId: 'A', labels: { n: String(n + m) } })),
    )
  }
  const lines = page.locator('.activity li')
  await page.getByRole('button', { name: 'Show older' }).waitFor({ state: 'attached' })
  assert.ok((await lines.count()) <= 1000, String(await lines.count()))
})
