import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blank, openPage } from '../support/browser.ts'

const dayMs = 86_400_000

test('a project gets a retention, after the page counts what it would remove', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const ended = (days: number) => {
    const at = new Date(Date.now() - days * dayMs).toISOString()
    return { status: 'completed', createdAt: at, startedAt: at, endedAt: at } as const
  }
  await client.createRun({ runId: 'OLD', title: 'Old', content: 'words', ...ended(100) })
  await client.createRun({ runId: 'KEPT', labels: { release: '1.0' }, ...ended(100) })
  await client.createRun({ runId: 'MIDDLE', content: 'more words', ...ended(40) })
  await page.goto(`${home}#/projects/default`)
  await page.getByText('Runs are kept forever.').waitFor()
  await page.getByRole('button', { name: 'Change retention' }).click()
  const form = page.getByRole('dialog', { name: 'Retention of default' })
  await form.getByLabel(/^Days after which a run loses/).fill('30')
  await form.getByLabel(/^Days after which a run is deleted/).fill('90')
  await form.getByLabel(/^Keep runs with/).fill('release, audit')
  const save = form.getByRole('button', { name: 'Save retention' })
  assert.equal(await save.isEnabled(), false, 'before the count')
  await form.getByLabel(/^Days after which a run is deleted/).press('Enter')
  await form.getByRole('button', { name: 'Count what would be removed now' }).click()
  await form.getByText('1 run would lose their texts (10 bytes)').waitFor()
  await form.getByText('1 run would be deleted (5 bytes)').waitFor()
  await form.getByLabel(/^Days after which a run is deleted/).fill('20')
  assert.equal(await save.isEnabled(), false, 'the count was of another retention')
  await form.getByRole('button', { name: 'Count what would be removed now' }).click()
  await form.locator('input:invalid:focus').waitFor()
  const texts = form.getByLabel(/^Days after which a run loses/)
  assert.equal(
    await texts.evaluate((input: HTMLInputElement) => input.validationMessage),
    'The runs are deleted after 20 days: erase their texts sooner, or never.',
  )
  await form.getByLabel(/^Days after which a run is deleted/).fill('90')
  await save.click()
  await page
    .getByText('Runs lose their texts 30 days after their end. Runs are deleted 90 days after their end.')
    .waitFor()
  const { project } = await client.getProject({ slug: 'default' })
  assert.deepEqual(project.retention, {
    contentDays: 30,
    runDays: 90,
    keep: { failed: false, labels: ['release', 'audit'] },
  })

  // What removes more is counted again; what removes less is not.
  await page.getByRole('button', { name: 'Change retention' }).click()
  assert.ok(await save.isEnabled(), 'nothing has changed')
  await form.getByLabel(/^Keep runs with/).fill('audit')
  assert.equal(await save.isEnabled(), false, 'a label keeps no run any more')
  await form.getByLabel(/^Keep runs with/).fill('audit, release, demo')
  assert.ok(await save.isEnabled())
  for (const label of [/^Days after which a run loses/, /^Days after which a run is deleted/])
    await form.getByLabel(label).fill('')
  await form.getByRole('button', { name: 'Save retention' }).click()
  await page.getByText('Runs are kept forever.').waitFor()
})

test('a count ends with its dialog', async (t) => {
  const { page } = await openPage(t, '#/projects/default')
  let asked = 0
  const none = { runs: 0, bytes: 0, oldest: null }
  await page.route('**/v1/forget', (route) => {
    asked++
    return route.fulfill({ json: { erased: none, deleted: none, nextCursor: `c${asked}` } })
  })
  await page.getByRole('button', { name: 'Change retention' }).click()
  const form = page.getByRole('dialog', { name: 'Retention of default' })
  await form.getByLabel(/^Days after which a run is deleted/).fill('90')
  const third = page.waitForRequest(() => asked >= 3)
  await form.getByRole('button', { name: 'Count what would be removed now' }).click()
  await third
  await form.getByRole('button', { name: 'Cancel' }).click()
  await form.waitFor({ state: 'detached' })
  const before = asked
  await page.getByRole('link', { name: 'Specs' }).click()
  await page.getByText('No specs yet').waitFor()
  assert.ok(asked <= before + 1, `${asked - before} more requests`)
})

test('a project is deleted after its name is typed, and only by an admin of the whole server', async (t) => {
  const { page, client, home, logIn } = await openPage(t, blank)
  await client.createProject({ slug: 'shop', name: 'Web shop' })
  await page.goto(`${home}#/projects/default`)
  await page.getByRole('button', { name: 'Erase all texts' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Delete project' }).count(), 0, 'default stays')
  await page.goto(`${home}#/projects/shop`)
  await page.getByRole('button', { name: 'Delete project' }).click()
  const form = page.getByRole('dialog', { name: 'Delete project shop?' })
  const remove = form.getByRole('button', { name: 'Delete project' })
  await form.getByRole('textbox').fill('shop')
  assert.equal(await remove.isEnabled(), false)
  await form.getByRole('textbox').fill('Web shop')
  await remove.click()
  await page.waitForURL(/#\/projects$/)
  await page.getByRole('link', { name: 'Settings of default' }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Settings of shop' }).count(), 0)
  assert.deepEqual(
    (await client.listProjects()).projects.map(({ slug }) => slug),
    ['default'],
  )

  await client.createProject({ slug: 'docs' })
  const { secret: key } = await client.createKey({ name: 'own', permissions: ['admin'], project: 'docs' })
  await logIn(key)
  await page.goto(`${home}?again#/projects/docs`)
  await page.getByRole('button', { name: 'Change retention' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Delete project' }).count(), 0)
})
