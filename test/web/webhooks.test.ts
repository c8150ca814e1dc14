import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage } from '../support/browser.ts'

test('a webhook is created, tested, disabled, set back and deleted on the page', async (t) => {
  const { page, client } = await openPage(t, '#/webhooks')
  await page.getByText('conduct webhook create').waitFor()
  await page.getByRole('button', { name: 'New webhook' }).click()
  const form = page.getByRole('dialog', { name: 'New webhook' })
  await form.getByLabel(/^URL/).fill('http://hooks.invalid/hook')
  await form.getByLabel('run.created').check()
  await form.getByRole('button', { name: 'Create webhook' }).click()
  const shown = page.getByRole('dialog', { name: 'The signing secret' })
  const secret = (await shown.locator('code').first().textContent()) ?? ''
  assert.match(secret, /^whsec_/)
  await form.waitFor({ state: 'detached' })
  await page.keyboard.press('Escape')
  await page.locator('code', { hasText: secret }).waitFor({ state: 'detached' })
  assert.ok(!(await page.content()).includes(secret))

  const row = page.locator('.keyed li', { hasText: 'http://hooks.invalid/h…' })
  await row.getByText('run.created').waitFor()
  await row.getByRole('button', { name: 'Test' }).click()
  const tested = page.getByRole('dialog', { name: 'Test message' })
  await tested.getByText(/its host name/).waitFor()
  await page.keyboard.press('Escape')

  await client.createRun({ runId: 'A' })
  await row.getByText('Failing').waitFor()
  const manage = async () => {
    await row.getByRole('button', { name: 'Manage' }).click()
    return page.getByRole('dialog', { name: 'Webhook 1' })
  }
  const dialog = await manage()
  await dialog
    .getByText(/^test: /)
    .or(dialog.getByText('test'))
    .first()
    .waitFor()
  await dialog.getByText(/^[A-Z][a-z]{2} \d+, \d{4}, \d+:\d\d\s[AP]M$/).waitFor()
  await dialog.getByRole('button', { name: 'Disable' }).click()
  await row.getByText('Disabled').waitFor()
  await dialog.getByRole('button', { name: 'Send again' }).click()
  await page.getByRole('dialog', { name: 'Send events again' }).getByRole('button', { name: 'Send again' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  assert.equal((await client.getWebhook({ id: 1 })).webhook.after, 0)

  await (await manage()).getByRole('button', { name: 'Rotate secret' }).click()
  await page.getByRole('dialog', { name: 'Rotate the secret?' }).getByRole('button', { name: 'Rotate secret' }).click()
  await shown.locator('code').first().waitFor()
  await page.keyboard.press('Escape')
  await (await manage()).getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog', { name: 'Delete webhook 1?' }).getByRole('button', { name: 'Delete webhook' }).click()
  await page.getByText('A webhook sends what happens to another program').waitFor()
})

test('an edit of a webhook does not overwrite what somebody else saved since the form was opened', async (t) => {
  const { page, client } = await openPage(t, '#/webhooks')
  await client.createWebhook({ url: 'https://hooks.example/aaaaaa', types: ['run.created'] })
  await page.getByRole('button', { name: 'Manage' }).click()
  await page.getByRole('button', { name: 'Edit' }).click()
  const form = page.getByRole('dialog', { name: 'Edit webhook' })
  await form.getByRole('checkbox', { name: 'run.updated' }).check()
  await client.updateWebhook({ id: 1, url: 'https://hooks.example/bbbbbb' })
  await page.locator('.keyed li', { hasText: 'https://hooks.example/bb…' }).waitFor()
  await form.getByRole('button', { name: 'Save' }).click()
  await form.getByRole('alert').getByText('Somebody else changed this').waitFor()
  assert.equal((await client.getWebhook({ id: 1 })).webhook.url, 'https://hooks.example/bb…')
  await form.getByLabel('Format').selectOption('plain')
  await form.getByLabel(/^URL/).fill('https://hooks.example/cccccc')
  await form.getByRole('button', { name: 'Save' }).click()
  await form.waitFor({ state: 'detached' })
  const { url, format, types } = (await client.getWebhook({ id: 1 })).webhook
  assert.deepEqual([url, format, types], ['https://hooks.example/cc…', 'plain', ['run.created', 'run.updated']])
})

test('the form of a webhook shows every type that it receives, also erasures', async (t) => {
  const { page, client } = await openPage(t, '#/webhooks')
  await client.createWebhook({ url: 'http://hooks.invalid/hook', types: ['erasure.created'] })
  await page.getByRole('button', { name: 'Manage' }).click()
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('erasure.created').uncheck()
  await page.getByLabel('run.created').check()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('.keyed li').getByText('run.created', { exact: true }).waitFor()
})
