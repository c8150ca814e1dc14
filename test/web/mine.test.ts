import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage, type Shown } from '../support/browser.ts'

const [ada, mateo] = ['Ada <ADA@example.com>', 'Mateo Ruiz <mateo@example.com>']

async function addWaiting({ client }: Shown, title: string, author: string) {
  const { run } = await client.createRun({ title, author, agent: 'codex', status: 'in_progress' })
  await client.heartbeat({ runId: run.runId, activity: { state: 'waiting', tool: 'Bash', target: 'npm test' } })
}

test('Mine narrows lanes, lists, counts and the title of the tab, and this browser keeps the choice', async (t) => {
  const shown = await openPage(t, '#/keys', { person: 'Ada Lund <ada@example.com>' })
  const { page, home, client } = shown
  await addWaiting(shown, 'Her migration', ada)
  await addWaiting(shown, 'His migration', mateo)
  await client.createRun({ title: 'His failure', author: mateo, status: 'failed' })
  await page.goto(`${home}?again#/`)
  const lanes = page.locator('.lane')
  await lanes.filter({ hasText: 'waiting for you' }).filter({ hasText: 'Her migration' }).waitFor()
  await lanes.filter({ hasText: 'waiting for Mateo Ruiz' }).filter({ hasText: 'His migration' }).waitFor()
  await page.waitForFunction(() => document.title.startsWith('(2 waiting)'))
  assert.equal(await page.getByRole('button', { name: 'Everyone' }).getAttribute('aria-pressed'), 'true')

  await page.getByRole('button', { name: 'Mine' }).click()
  await page.waitForURL(/#\/\?mine=true$/)
  await page.waitForFunction(() => document.title.startsWith('(1 waiting)'))
  await page.getByText('His failure').waitFor({ state: 'detached' })
  assert.equal(await lanes.count(), 1)

  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await page.locator('table.runs[aria-rowcount="2"] .title', { hasText: 'Her migration' }).waitFor()
  await page.goto(`${home}?later#/runs`)
  await page.locator('table.runs[aria-rowcount="2"]').waitFor()

  await page.getByRole('button', { name: 'Everyone' }).click()
  await page.locator('table.runs[aria-rowcount="4"]').waitFor()
  await page.locator('table.runs .id', { hasText: /RUN-002 · Mateo Ruiz$/ }).waitFor()
  assert.equal(page.url(), `${home}?later#/runs`)
  await page.goto(`${home}?last#/runs`)
  await page.locator('table.runs[aria-rowcount="4"]').waitFor()
})

test('a key without a person is offered no choice, and is told how to get one', async (t) => {
  const shown = await openPage(t, '#/keys')
  const { page, home } = shown
  await addWaiting(shown, 'Her migration', ada)
  await page.goto(`${home}?again#/runs?mine=true`)
  await page.locator('table.runs .title', { hasText: 'Her migration' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Mine' }).count(), 0)
  await page.getByTitle(/An admin can say whose it is: conduct key update \d+ --person/).waitFor()
})

test('search hits say whose run they are from, which agent did it, and when it began', async (t) => {
  const { page, client, home } = await openPage(t)
  const at = '2026-01-02T03:04:05.000Z'
  await client.createRun({
    ...{ title: 'Passkeys', author: mateo, agent: 'codex', status: 'completed' },
    ...{ createdAt: at, startedAt: at, endedAt: at },
  })
  await page.goto(`${home}#/runs?q=passkeys`)
  const facts = page.locator('.results .facts')
  await facts.getByText('Mateo Ruiz').waitFor()
  await facts.getByText('codex').waitFor()
  assert.equal(await facts.locator('time').getAttribute('datetime'), at)
})
