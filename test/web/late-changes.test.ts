import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Request } from 'playwright-core'
import { blank, openPage } from '../support/browser.ts'
import { hold } from '../support/held.ts'

const writes = (request: Request) => request.method() !== 'GET'

test('a form that was left does not close the one that is open when its answer arrives', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'Checked', status: 'completed' })
  await page.goto(`${home}#/runs/default/RUN-001`)
  await page.getByRole('button', { name: 'Add check' }).click()
  const held = await hold(page, writes)
  await page.getByRole('dialog').getByRole('button', { name: 'Add check' }).click()
  await held.asked
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Add check' }).click()
  await page.getByLabel('What was found').fill('A text that must stay')
  const answered = page.waitForResponse((response) => writes(response.request()))
  await held.release()
  await answered
  await page
    .locator('.standing')
    .getByText(/^(Claimed|Checked) by/)
    .waitFor()
  assert.equal(await page.getByLabel('What was found').inputValue(), 'A text that must stay')
})

test('an answer that arrives after the user has gone elsewhere does not bring them back', async (t) => {
  const { page, client, home } = await openPage(t)
  await client.createRun({ title: 'Deleted', status: 'completed' })
  await client.createSpec({ specId: 'S-1', title: 'Spec', content: 'Before' })
  const leaveWith = async (act: () => Promise<void>) => {
    const held = await hold(page, writes)
    await act()
    await held.asked
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'Trends' }).click()
    await page.getByRole('heading', { name: 'Trends', level: 1 }).waitFor()
    const answered = page.waitForResponse((response) => writes(response.request()))
    await held.release()
    await (await answered).finished()
    assert.match(await page.evaluate(() => location.hash), /^#\/trends/)
  }
  await page.goto(`${home}#/runs/default/RUN-001`)
  await leaveWith(async () => {
    await page.locator('summary', { hasText: 'More actions' }).click()
    await page.getByRole('button', { name: 'Delete run' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete run' }).click()
  })
  await page.goto(`${home}#/specs/default/S-1?view=edit`)
  await leaveWith(async () => {
    await page.getByLabel(/^Text, as Markdown/).fill('After')
    await page.getByRole('button', { name: 'Save spec' }).click()
  })
  await page.goto(`${home}#/specs?view=new`)
  await leaveWith(async () => {
    await page.getByLabel(/^Text, as Markdown/).fill('New')
    await page.getByRole('button', { name: 'Create spec' }).click()
  })
})

test('nothing can be typed while a spec is saved, since it would be lost', async (t) => {
  const { page, client } = await openPage(t)
  await client.createSpec({ specId: 'S-1', title: 'Spec', content: 'Before' })
  await page.evaluate(() => location.assign('#/specs/default/S-1?view=edit'))
  const text = page.getByLabel(/^Text, as Markdown/)
  await text.fill('After')
  const held = await hold(page, writes)
  await page.getByRole('button', { name: 'Save spec' }).click()
  await held.asked
  await text.press('End')
  await text.pressSequentially(' all')
  assert.equal(await text.inputValue(), 'After')
  await held.release()
  await page.locator('.prose').getByText('After').waitFor()
})

test('a late conflict of a form that was cancelled does not bring its text back', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createProject({ slug: 'shop', name: 'Shop' })
  await page.goto(`${home}#/projects/shop`)
  await page.getByRole('button', { name: 'Edit project' }).click()
  const held = await hold(page, writes)
  await page.route('**/v1/projects/shop', async (route) => {
    if (writes(route.request())) await client.updateProject({ slug: 'shop', name: 'Their name' })
    await route.fallback()
  })
  await page.getByRole('textbox', { name: 'Name' }).fill('My name')
  await page.getByRole('button', { name: 'Save' }).click()
  await held.asked
  await page.keyboard.press('Escape')
  const answered = page.waitForResponse((response) => writes(response.request()))
  await held.release()
  assert.equal((await answered).status(), 412)
  await page.getByRole('heading', { name: 'Their name' }).waitFor()
  await page.getByRole('button', { name: 'Edit project' }).click()
  assert.equal(await page.getByRole('textbox', { name: 'Name' }).inputValue(), 'Their name')
  assert.equal(await page.getByText('You did not save').count(), 0)
})

test('a change appears also while the stream of events is silent', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ title: 'Labelled', status: 'in_progress' })
  await client.createSpec({ specId: 'S-1', title: 'Spec', content: 'Before' })
  await client.createProject({ slug: 'shop', name: 'Shop' })
  // A proxy that buffers the stream lets nothing of it through, which the page notices after 45 seconds.
  await page.route('**/v1/events*', () => {})
  await page.goto(`${home}#/runs/default/RUN-001`)
  await page.getByRole('button', { name: 'Edit labels' }).click()
  await page.getByLabel('One on each line').fill('team: web')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('aside').getByText('web').waitFor({ timeout: 15_000 })
  await page.getByRole('button', { name: 'Add check' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Add check' }).click()
  await page.getByText('1 pass').waitFor({ timeout: 15_000 })
  await page.getByText('Verified').first().waitFor({ timeout: 15_000 })
  await page.locator('summary', { hasText: 'Finish' }).click()
  await page.getByRole('button', { name: 'Complete run' }).click()
  await page.locator('.standing').getByText('Completed').waitFor({ timeout: 15_000 })

  await page.goto(`${home}?again#/specs/default/S-1`)
  await page.locator('summary', { hasText: 'Move' }).click()
  await page.getByRole('button', { name: 'to Archived' }).click()
  await page.locator('.standing').getByText('Archived').waitFor({ timeout: 15_000 })
  await page.getByRole('link', { name: 'Edit spec' }).click()
  await page.getByLabel(/^Text, as Markdown/).fill('After')
  await page.getByRole('button', { name: 'Save spec' }).click()
  await page.locator('.prose').getByText('After').waitFor({ timeout: 15_000 })

  await page.goto(`${home}?again#/projects/shop`)
  await page.getByRole('button', { name: 'Edit project' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('The shop')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'The shop' }).waitFor({ timeout: 15_000 })
})

test('the result of a test of a webhook waits until the dialog that is open is closed', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createWebhook({ url: 'http://hooks.invalid/hook' })
  await page.goto(`${home}#/webhooks`)
  const held = await hold(page, writes)
  await page.getByRole('button', { name: 'Test http' }).click()
  await held.asked
  await page.getByRole('button', { name: 'New webhook' }).click()
  await page.getByRole('textbox', { name: 'URL' }).fill('https://hooks.example.com/mine')
  const answered = page.waitForResponse((response) => writes(response.request()))
  await held.release()
  await (await answered).finished()
  assert.equal(await page.getByRole('textbox', { name: 'URL' }).inputValue(), 'https://hooks.example.com/mine')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog', { name: 'Test message' }).waitFor()
})

test('a card is moved again before the board has been read again', async (t) => {
  const { page, client } = await openPage(t, '#/specs')
  await client.createSpec({ specId: 'A-1', title: 'Ours' })
  const move = async (to: string) => {
    const answered = page.waitForResponse((response) => writes(response.request()))
    await page.locator('.card summary').click()
    await page.getByRole('button', { name: to }).click()
    assert.equal((await answered).status(), 200, to)
  }
  await page.locator('.card').waitFor()
  const held = await hold(page, (request) => request.method() === 'GET' && /\/v1\/specs/.test(request.url()))
  await move('to Pending')
  await page.keyboard.press('Escape')
  await move('to Archived')
  await held.release()
  await page
    .getByRole('region', { name: /^Archived/ })
    .getByRole('link', { name: 'Ours' })
    .waitFor()
})
