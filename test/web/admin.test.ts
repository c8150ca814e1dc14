import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blank, openPage } from '../support/browser.ts'

test('a key is created, its secret shown once, and revoked', async (t) => {
  const { page, client } = await openPage(t, '#/keys')
  await client.createProject({ slug: 'shop', name: 'Web shop' })
  await client.createKey({
    name: 'short',
    permissions: ['read'],
    expiresAt: new Date(Date.now() + 3 * 86_400_000).toISOString(),
  })
  await page.getByText(/^Expires in [23] ?d/).waitFor()
  await page.getByRole('button', { name: 'New key' }).click()
  const form = page.getByRole('dialog', { name: 'New key' })
  await form.getByLabel(/^Name/).fill('nightly')
  await form.getByLabel(/^Person/).fill('Ada Example <ada@example.com>')
  await form.getByLabel('Where').selectOption('Web shop')
  await form.getByRole('button', { name: 'Create key' }).click()
  const shown = page.getByRole('dialog', { name: 'The key of nightly' })
  const secret = await shown.locator('code').first().textContent()
  assert.match(secret ?? '', /^sk_agent_[0-9A-Za-z]{43}$/)
  await shown.getByText(/^It works until \w{3} \d+, \d{4}\./).waitFor()
  for (let times = 0; times < 3; times++) await page.keyboard.press('Escape')
  await page.mouse.click(5, 5)
  await shown.getByRole('button', { name: 'Close' }).click()
  const row = page.locator('.keyed li', { hasText: 'nightly' })
  await page.locator('code', { hasText: secret ?? '' }).waitFor({ state: 'detached' })
  await row.getByText('in shop').waitFor()
  await row.getByText('Ada Example', { exact: true }).waitFor()
  assert.ok(!(await page.content()).includes(secret ?? ''))

  await row.getByRole('button', { name: 'Person of nightly' }).click()
  const naming = page.getByRole('dialog', { name: 'Who holds nightly?' })
  await naming.getByLabel(/^Person/).fill('Ben')
  await naming.getByRole('button', { name: 'Save' }).click()
  await naming.getByText('Ada Example <ada@example.com>').waitFor()
  await naming.getByLabel(/^Person/).fill('Ben Example <ben@example.com>')
  await naming.getByRole('button', { name: 'Save' }).click()
  await row.getByText('Ben Example', { exact: true }).waitFor()
  // No key can change its own.
  await page
    .getByRole('button', { name: /^Person of / })
    .first()
    .waitFor()
  assert.equal(await page.getByRole('button', { name: 'Person of ada' }).count(), 0)

  await row.getByRole('button', { name: 'Revoke nightly' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click()
  await page.getByRole('region', { name: 'Revoked or expired' }).getByText('nightly').waitFor()
  const { keys } = await client.listKeys({})
  assert.ok(keys.find(({ name }) => name === 'nightly')?.revokedAt)
})

test('an error stands at the fields that it names', async (t) => {
  const { page } = await openPage(t, '#/keys')
  await page.getByRole('button', { name: 'New key' }).click()
  const form = page.getByRole('dialog', { name: 'New key' })
  await form.getByLabel(/^Name/).fill('n'.repeat(201))
  await form.getByRole('checkbox', { name: 'agent' }).uncheck()
  await form.getByRole('button', { name: 'Create key' }).click()
  await form.getByText('Must have at most 200 bytes, not 201.').waitFor()
  assert.deepEqual(await form.getByRole('alert').allTextContents(), [
    'Must have at most 200 bytes, not 201.',
    'Must have at least 1 item, not 0.',
  ])
  const named = form.getByRole('textbox', { name: /^Name/, description: 'Must have at most 200 bytes, not 201.' })
  await named.fill('nightly')
  await form.getByRole('checkbox', { name: 'agent' }).check()
  await form.getByRole('button', { name: 'Create key' }).click()
  await page.getByRole('dialog', { name: 'The key of nightly' }).waitFor()
})

test('a project is created and renamed, and a conflicting change is reported', async (t) => {
  const { page, client } = await openPage(t, '#/projects')
  await page.getByRole('button', { name: 'New project' }).click()
  await page.getByLabel(/^Slug/).fill('shop')
  await page.getByRole('button', { name: 'Create project' }).click()
  await page.getByRole('link', { name: 'Settings of shop' }).click()
  await page.getByRole('button', { name: 'Edit project' }).click()
  await page.getByLabel('Name').fill('Web shop')
  await client.updateProject({ slug: 'shop', name: 'Theirs' })
  await page.locator('h1', { hasText: 'Theirs' }).waitFor()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').getByText('Somebody else changed this').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
  await page.getByRole('heading', { level: 1, name: 'Theirs' }).waitFor()
  await page.getByRole('button', { name: 'Edit project' }).click()
  await page.getByLabel('Name').fill('Web shop')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { level: 1, name: 'Web shop' }).waitFor()
  assert.equal((await client.getProject({ slug: 'shop' })).project.name, 'Web shop')
})

test('the forms of admins keep their text when the session ends, until it is saved or cancelled', async (t) => {
  const { page, client, logIn, home } = await openPage(t, '', { permissions: [] })
  const login = async (path: string) => {
    const { key, secret } = await client.createKey({ name: 'ada', permissions: ['admin'] })
    await logIn(secret)
    await page.goto(`${home}?${key.id}#/${path}`)
    return () => client.revokeKey({ id: key.id })
  }
  for (const [path, open, label, text] of [
    ['keys', 'New key', /^Name/, 'nightly'],
    ['webhooks', 'New webhook', /^URL/, 'https://new.example/'],
    ['projects', 'New project', /^Slug/, 'shop'],
    ['projects/default', 'Edit project', 'Repository', 'https://example.com/x.git'],
    ['projects/default', 'Change retention', /^Days after which a run is deleted/, '90'],
  ] as const) {
    const revoke = await login(path)
    const field = async () => {
      await page.getByRole('button', { name: open }).first().click()
      return page.getByRole('dialog').getByLabel(label)
    }
    await (await field()).fill(text)
    await revoke()
    await page.getByRole('button', { name: 'Log in' }).waitFor({ timeout: 90_000 })
    await login(path)
    assert.equal(await (await field()).inputValue(), text, open)
    await page.getByText('You did not save this text').waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
    assert.equal(await (await field()).inputValue(), '', open)
    await page.keyboard.press('Escape')
  }
})

test('a restored form does not overwrite what somebody else saved meanwhile', async (t) => {
  const { page, client } = await openPage(t, '#/projects/default')
  await page.getByRole('button', { name: 'Edit project' }).click()
  await page.getByLabel('Repository').fill('https://example.com/mine.git')
  await page.reload()
  await client.updateProject({ slug: 'default', name: 'Theirs' })
  await page.getByRole('heading', { level: 1, name: 'Theirs' }).waitFor()
  await page.getByRole('button', { name: 'Edit project' }).click()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('alert').getByText('Somebody else changed this').waitFor()
  assert.equal((await client.getProject({ slug: 'default' })).project.name, 'Theirs')
})

/** Makes pauses between two reads last for ever. */
const withoutRests = `
  const wait = setTimeout
  globalThis.setTimeout = (work, ms, ...args) => (ms >= 5000 ? 0 : wait(work, ms, ...args))`

test('a new project is listed at once, even while many runs arrive', async (t) => {
  const { page, client, home, openTab, live } = await openPage(t, blank, { before: withoutRests })
  await page.goto(`${home}#/projects`)
  await live
  await page.getByRole('link', { name: 'Settings of default' }).waitFor()
  const other = await openTab('#/projects')
  await other.getByRole('link', { name: 'Settings of default' }).waitFor()
  await client.createRun({ title: 'Busy' })
  await page.getByRole('button', { name: 'New project' }).click()
  await page.getByLabel(/^Slug/).fill('shop')
  await page.getByRole('button', { name: 'Create project' }).click()
  for (const tab of [page, other]) await tab.getByRole('link', { name: 'Settings of shop' }).waitFor()
  await client.createProject({ slug: 'blog' })
  for (const tab of [page, other]) await tab.getByRole('link', { name: 'Settings of blog' }).waitFor()
})

test('keys and projects are only for admins', async (t) => {
  const { page } = await openPage(t, '#/keys', { permissions: ['write'] })
  await page.getByText('Keys are for admins').waitFor()
  assert.equal(
    await page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name: /Keys|Projects/ })
      .count(),
    0,
  )
})
