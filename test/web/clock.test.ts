import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { violations } from '../support/axe.ts'
import { openPage } from '../support/browser.ts'

/** The time of day of a server, which leaps by two hours. */
function wallClock() {
  const leapMs = 2 * 3_600_000
  let isWrong = false
  return {
    wall: () => Date.now() + (isWrong ? leapMs : 0),
    leap: () => {
      isWrong = !isWrong
    },
  }
}

/** As when somebody returns to the tab. */
const focus = (page: Page) => page.evaluate(() => dispatchEvent(new Event('focus')))

test('a notice says that the clock of the server may be wrong, until it is right again', async (t) => {
  const { wall, leap } = wallClock()
  const { page, openTab, client, logIn } = await openPage(t, '', { wall })
  const notice = page.locator('.clock-notice')
  await page.getByText('Nothing is in progress').waitFor()
  assert.equal(await notice.count(), 0)
  leap()
  await focus(page)
  await notice.getByText('Until it is right, Conduct removes no old data.').waitFor()
  const detail = notice.getByText('The clock leapt forward by 2 hours')
  assert.ok(!(await detail.isVisible()))
  await notice.locator('summary').click()
  await detail.waitFor()
  await notice.getByText('conduct doctor').waitFor()

  await logIn((await client.createKey({ name: 'reader', permissions: ['read'] })).secret)
  const tab = await openTab()
  await tab.locator('.clock-notice summary').click()
  await tab.getByText('An admin of the server can set the clock.').waitFor()
  await tab.close()

  leap()
  await focus(page)
  await notice.waitFor({ state: 'detached' })
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the notice about the clock fits a phone and can be read (${colorScheme})`, async (t) => {
    const { wall, leap } = wallClock()
    const { page } = await openPage(t, '', { wall, colorScheme, viewport: { width: 390, height: 844 } })
    await page.getByText('Nothing is in progress').waitFor()
    leap()
    await focus(page)
    await page.locator('.clock-notice summary').click()
    await page.getByText('The clock leapt forward').waitFor()
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390)
    assert.deepEqual(await violations(page, 'all'), [])
  })
}
