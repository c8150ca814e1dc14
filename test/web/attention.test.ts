import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage, type Shown } from '../support/browser.ts'

/** A few at a time, so that none waits for longer than the client's timeout. */
async function createRuns({ client }: Shown, count: number, title: string, status: 'completed' | 'failed') {
  for (let n = 0; n < count; n += 25) {
    await Promise.all(Array.from({ length: Math.min(25, count - n) }, () => client.createRun({ title, status })))
  }
}

test('what needs attention is counted as far as it was read, and an older failure that was made good is left out', async (t) => {
  const shown = await openPage(t, '#/keys')
  const { client, home, page } = shown
  await client.createRun({ runId: 'BAD', title: 'Never mended', status: 'failed' })
  await client.createRun({ runId: 'MENDED', title: 'Mended later', status: 'failed' })
  await client.createRun({ runId: 'FIX', title: 'The fix', status: 'completed', retryOf: 'MENDED' })
  await createRuns(shown, 500, 'Good', 'completed')
  await page.goto(`${home}?again#/`)
  const needs = page.getByRole('region', { name: 'Needs attention' })
  await needs.getByRole('link', { name: 'Never mended' }).waitFor()
  await needs.getByRole('link', { name: '500+ completed, not checked' }).waitFor()
  assert.equal(await needs.getByRole('link', { name: 'Mended later' }).count(), 0)
  await needs.getByRole('heading', { name: /^Needs attention 1$/ }).waitFor()

  await createRuns(shown, 110, 'Broken', 'failed')
  await createRuns(shown, 500, 'Better', 'completed')
  await page.goto(`${home}?twice#/`)
  await needs.getByRole('heading', { name: /^Needs attention 50\+$/ }).waitFor()
  await page.waitForFunction(() => document.title.startsWith('(50+) Now'))
  await needs.getByRole('link', { name: '30+ more failed' }).click()
  await page.waitForURL(/#\/runs\?createdAfter=\d{4}-\d\d-\d\d&status=failed$/)
})

test('runs beyond the list are reached by what they need', async (t) => {
  const { client, home, page } = await openPage(t, '#/keys')
  for (let n = 1; n <= 22; n++) {
    const { run } = await client.createRun({ title: `Failing ${n}`, status: 'completed' })
    await client.createCheck({ runId: run.runId, result: 'fail' })
  }
  await page.goto(`${home}?again#/`)
  await page.getByRole('link', { name: '2 more with failing checks' }).click()
  await page.waitForURL(/#\/runs\?createdAfter=\d{4}-\d\d-\d\d&verdict=failing$/)
  await page.getByRole('link', { name: 'Failing 1', exact: true }).waitFor()
})

test('what finished last stands first, however long ago it began', async (t) => {
  const { page, client, advance } = await openPage(t)
  const startedAt = new Date(Date.now() - 7_200_000).toISOString()
  await client.createRun({ runId: 'LONG', title: 'Long', status: 'in_progress', createdAt: startedAt, startedAt })
  for (let n = 1; n <= 10; n++) {
    const at = new Date(Date.parse(startedAt) + n).toISOString()
    await client.createRun({ title: `Short ${n}`, status: 'completed', createdAt: at, startedAt: at, endedAt: at })
  }
  await client.createRun({ title: 'Other', status: 'completed' })
  // Runs that ended in the same millisecond would stand in the order of their creation.
  advance(1)
  await client.updateRun({ runId: 'LONG', status: 'completed' })
  const titles = page.getByRole('region', { name: 'Recently finished' }).locator('.title')
  await titles.getByText('Long').waitFor()
  assert.deepEqual((await titles.allTextContents()).slice(0, 4), ['Long', 'Other', 'Short 10', 'Short 9'])
  assert.equal(await titles.count(), 10)
})
