import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage } from '../support/browser.ts'

const dayMs = 86_400_000

test('trends tell in figures, in words and as a table what the runs of a period come to', async (t) => {
  const { page, client, home, sleep } = await openPage(t)
  await page.getByText('No runs in the last 30 days').waitFor()
  sleep(-10 * dayMs)
  await client.createRun({ title: 'Long ago', status: 'failed' })
  sleep(10 * dayMs)
  const { run } = await client.createRun({ title: 'Good', status: 'in_progress', usage: { costUsd: 1.5 } })
  sleep(90_000)
  await client.updateRun({ runId: run.runId, status: 'completed' })
  await client.createCheck({ runId: run.runId, name: 'tests', result: 'pass' })
  const trends = page.getByRole('region', { name: 'Trends' })
  const figures = () => trends.locator('dd b').allTextContents()
  await trends.getByText('1 of 2 runs completed').waitFor()
  await trends.getByText('1 of 2 runs verified').waitFor()
  await trends.getByText('known for 1 of 2 runs').waitFor()
  assert.deepEqual(
    (await figures()).filter((_, index) => index !== 3 && index !== 4),
    ['2', '50%', '50%', '$1.50'],
  )
  await trends.getByText('Runs by status, each day in UTC: 1 completed, 1 failed.').waitFor()
  assert.equal(await trends.locator('canvas').count(), 2)

  await trends.getByRole('link', { name: '7 days' }).click()
  await trends.getByText('1 of 1 runs completed').waitFor()
  assert.equal(page.url(), `${home}#/?days=7`)
  assert.match((await figures()).join(), /^1,100%,100%,1 min 30 s,1 min 30 s,\$1.50$/)
  await trends.getByText('As a table').first().click()
  assert.equal(await trends.getByRole('row').count(), 8)
  await page.goBack()
  await trends.getByText('1 of 2 runs completed').waitFor()
})

test('a cost that no run reports is unknown, not nothing', async (t) => {
  const { page, client, home } = await openPage(t)
  await client.createRun({ title: 'One', status: 'in_progress' })
  await page.goto(`${home}?again#/`)
  const trends = page.getByRole('region', { name: 'Trends' })
  await trends.getByText('known for 0 of 1 runs').waitFor()
  assert.equal(await trends.locator('dd b').last().textContent(), '—')
})
