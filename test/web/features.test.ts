import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage } from '../support/browser.ts'

test('features are searched, and one tells which runs touched it', async (t) => {
  const { page, client } = await openPage(t, '#/features')
  await page.getByText('conduct feature create').waitFor()
  await client.createFeature({ name: 'user-auth', file: 'src/auth.ts', description: 'Who is *there*.' })
  await client.createFeature({ name: 'export' })
  await page.getByRole('link', { name: 'export' }).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('auth')
  await page.getByRole('link', { name: 'export' }).waitFor({ state: 'detached' })
  assert.match(page.url(), /#\/features\?q=auth$/)
  await page.getByRole('link', { name: 'user-auth' }).click()
  await page.getByText('conduct run link RUN-001 1').waitFor()
  await page.locator('em', { hasText: 'there' }).waitFor()
  await client.createRun({ title: 'Add a passkey', status: 'completed', specId: 'A-1' })
  await client.linkFeatures({ runId: 'RUN-001', featureIds: [1] })
  await client.createCheck({ runId: 'RUN-001', name: 'tests', result: 'warn' })
  const row = page.locator('.brief', { hasText: 'Add a passkey' })
  await row.getByText('Warned').waitFor()
  await row.getByText('A-1').waitFor()
  await page.getByRole('link', { name: 'Add a passkey' }).click()
  await page.getByRole('heading', { name: 'Add a passkey' }).waitFor()
})
