import { test } from 'node:test'
import { openPage } from '../support/browser.ts'
import { adminKey } from '../support/server.ts'

/** What a browser does that blocks all cookies: every access to stored data throws. */
const forbidden = `
  const refuse = () => { throw new DOMException('Access is denied for this document.', 'SecurityError') }
  for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get: refuse })
  if (navigator.locks) navigator.locks.request = async () => refuse()
`

const full = `Storage.prototype.setItem = () => { throw new DOMException('The quota has been exceeded.', 'QuotaExceededError') }`

for (const [state, before] of Object.entries({ forbidden, full })) {
  test(`the page works and follows the log while the browser's storage is ${state}`, async (t) => {
    const { page, client } = await openPage(t, '', { before, colorScheme: 'light', permissions: [] })
    await page.getByLabel('Key').fill(adminKey)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Nothing is in progress').waitFor()
    await client.createRun({ title: 'Mend the login', status: 'in_progress' })
    await page.locator('.lane', { hasText: 'Mend the login' }).waitFor()
    await page.getByRole('button', { name: 'Dark colours' }).click()
    await page.locator('html[data-theme=dark]').waitFor()
    await page.getByRole('button', { name: 'Light colours' }).click()
    await page.locator('html:not([data-theme])').waitFor()
    // Leaving the page stores when it was visited.
    await page.getByRole('link', { name: 'Specs' }).click()
    await page.getByRole('link', { name: 'New spec' }).click()
    await page.getByLabel('Text, as Markdown').fill('# Log in with a passkey')
    await page.getByRole('button', { name: 'Create spec' }).click()
    await page.getByRole('heading', { name: 'Log in with a passkey', level: 1 }).waitFor()
  })
}
