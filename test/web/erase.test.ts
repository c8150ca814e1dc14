import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page, Route } from 'playwright-core'
import { blank, openPage } from '../support/browser.ts'
import { freePort } from '../support/setup.ts'

const secret = 'correct-horse-battery'

/** Erases with the open dialog, once it shows what it would erase. */
async function eraseBy(page: Page, found: RegExp) {
  const dialog = page.getByRole('dialog')
  await dialog.getByText(found).waitFor()
  await dialog.getByRole('button', { name: 'Erase texts' }).click()
  await page.getByRole('dialog', { name: 'Texts erased' }).getByText('Erased in').waitFor()
  await page.keyboard.press('Escape')
}

/** Waits until the page no longer contains the secret. */
const isForgotten = (page: Page) => page.waitForFunction((text) => !document.body.innerHTML.includes(text), secret)

test('an admin sees what would be erased, erases the texts of a run, and every open page removes them', async (t) => {
  const { page, client, home, openTab, live } = await openPage(t, blank)
  const { run } = await client.createRun({
    title: `Title ${secret}`,
    status: 'in_progress',
    content: `Log ${secret}\n`,
  })
  await client.appendTurn({ runId: run.runId, prompt: `Prompt ${secret}`, answer: `Answer ${secret}` })
  await client.createCheck({ runId: run.runId, name: 'tests', result: 'pass', content: `Check ${secret}` })
  await page.goto(`${home}#/runs/default/RUN-001?view=log`)
  const session = await openTab('#/runs/default/RUN-001')
  const list = await openTab('#/runs')
  const now = await openTab()
  const activity = await openTab('#/activity?view=events')
  for (const tab of [page, session, list, now, activity]) await tab.getByText(secret).first().waitFor()
  await live

  await page.locator('summary', { hasText: 'More actions' }).click()
  await page.getByRole('button', { name: 'Erase texts' }).click()
  await eraseBy(page, /^Texts were found in 1 run, 1 turn, 1 check, \d+ event/)
  await page.getByRole('heading', { level: 1, name: '[erased]' }).waitFor()
  await page
    .locator('.standing')
    .getByText(/^texts erased/)
    .waitFor()
  await page
    .locator('.log')
    .getByText(/bytes erased\]/)
    .waitFor()
  for (const tab of [page, session, list, now, activity]) await isForgotten(tab)
  await activity.getByText('erased the texts of run RUN-001').waitFor()
  assert.equal((await client.getRun({ runId: run.runId })).run.title, '[erased]')
})

test('texts that are erased just before the tab with the stream closes go from the other tabs', async (t) => {
  const { page, client, openTab, live } = await openPage(t)
  await live
  await client.createRun({ title: 'Log', status: 'in_progress', content: `Log ${secret}\n` })
  const other = await openTab('#/runs/default/RUN-001?view=log')
  await other.getByText(secret).first().waitFor()
  // What the tab with the stream puts off never happens.
  await page.evaluate(() => Object.assign(globalThis, { setTimeout: () => 0 }))
  await client.erase({ runId: 'RUN-001' })
  await other
    .getByText(/^texts erased/)
    .first()
    .waitFor()
  await page.close()
  await isForgotten(other)
})

test('texts that are erased while a page misses events go from it', async (t) => {
  const { page, client, home, restart } = await openPage(t, blank, { port: await freePort() })
  await client.createRun({ title: 'Log', status: 'in_progress', content: `Log ${secret}\n` })
  let answer = (route: Route) => route.fallback()
  await page.route('**/v1/events*', (route) =>
    route.request().headers().accept === 'text/event-stream' ? answer(route) : route.fallback(),
  )
  await page.goto(`${home}#/runs/default/RUN-001?view=log`)
  await page.getByText(secret).first().waitFor()
  await page.getByText('Live').waitFor()
  answer = (route) => route.abort()
  await restart(async () => {})
  await client.erase({ runId: 'RUN-001' })
  answer = (route) => {
    answer = (next) => next.fallback()
    return route.fulfill({
      status: 410,
      json: { error: 'The events were dropped.', code: 'EVENTS_DROPPED', firstSeq: 9 },
    })
  }
  await isForgotten(page)
})

test('a text is erased in every place, and a spec and a project are erased as a whole', async (t) => {
  const { page, client, home } = await openPage(t, '#/projects')
  await client.createProject({ slug: 'shop', name: 'Shop' })
  await client.createRun({ runId: 'A', title: `About ${secret}` })
  await client.createRun({ runId: 'B', title: 'About something else' })
  await client.createSpec({ specId: 'S-1', title: 'A plan', content: 'First this.' })
  await page.getByRole('button', { name: 'Erase a text' }).click()
  const ask = page.getByRole('dialog', { name: 'Erase a text everywhere' })
  await ask.getByRole('textbox').fill(secret)
  await ask.getByRole('button', { name: 'Find' }).click()
  await eraseBy(page, /^Texts were found in 1 run, 1 event/)
  const titleOf = async (runId: string) => (await client.getRun({ runId })).run.title
  assert.deepEqual([await titleOf('A'), await titleOf('B')], ['[erased]', 'About something else'])

  await page.goto(`${home}#/specs/default/S-1`)
  await page.getByText('First this.').waitFor()
  await page.locator('summary', { hasText: 'More actions' }).click()
  await page.getByRole('button', { name: 'Erase texts' }).click()
  await eraseBy(page, /1 spec/)
  await page
    .locator('.standing')
    .getByText(/^texts erased/)
    .waitFor()
  await page.getByText('First this.').waitFor({ state: 'detached' })

  await page.goto(`${home}#/projects`)
  await page.getByRole('link', { name: 'Settings of default' }).click()
  await page.getByRole('button', { name: 'Erase all texts' }).click()
  await eraseBy(page, /^Texts were found in 1 run/)
  assert.equal(await titleOf('B'), '[erased]')
})

test('only an admin can erase', async (t) => {
  const { page, client, home } = await openPage(t, blank, { permissions: ['write', 'delete'] })
  await client.createRun({ title: 'One' })
  await page.goto(`${home}#/runs/default/RUN-001`)
  await page.locator('summary', { hasText: 'More actions' }).click()
  await page.getByRole('button', { name: 'Delete run' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Erase texts' }).count(), 0)
})

test('an erasure that is closed before its end stops, and says what is erased', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: `Title ${secret}` })
  await page.goto(`${home}#/runs/default/RUN-001`)
  await page.locator('summary', { hasText: 'More actions' }).click()
  await page.getByRole('button', { name: 'Erase texts' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Texts were found in').waitFor()
  const slice = Promise.withResolvers<void>()
  let slices = 0
  await page.route('**/v1/erase', async (route) => {
    const erased = { runs: 1, turns: 0, checks: 0, specs: 0, features: 0, events: 2, others: 0, responses: 0 }
    slices++
    await slice.promise
    await route.fulfill({ json: { erased, hasMore: true, nextCursor: 'more' } })
  })
  const asked = page.waitForRequest('**/v1/erase')
  await dialog.getByRole('button', { name: 'Erase texts' }).click()
  await asked
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  slice.resolve()
  const stopped = page.getByRole('dialog', { name: 'Erasure stopped' })
  await stopped.getByText('Erased in 1 run, 2 events.').waitFor()
  await stopped.getByText('The rest is still there.').waitFor()
  assert.equal(slices, 1)
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
})
