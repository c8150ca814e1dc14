import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blank, openPage } from '../support/browser.ts'

const odd = 'docs/50% off/#1 & más?.md'

test('a file of a run leads to all runs that wrote it, and to those of the folders above it', async (t) => {
  const { page, client, home } = await openPage(t)
  await client.createRun({ runId: 'A', title: 'Add sessions', author: 'Ada <ada@example.com>', agent: 'codex' })
  await client.createRun({ runId: 'B', title: 'Fix login', author: 'Mateo <mateo@example.com>' })
  await client.createRun({ runId: 'C', title: 'Other', author: 'Yuki <yuki@example.com>' })
  await client.appendTurn({ runId: 'A', files: [{ path: 'src/auth/session.ts' }, { path: '/etc/hosts' }] })
  await client.appendTurn({ runId: 'B', files: [{ path: 'src/auth/session.ts', insertions: 43 }, { path: odd }] })
  await client.appendTurn({ runId: 'C', files: [{ path: 'src/auth/login.ts' }] })
  const titles = async () => (await page.locator('.brief .title').allTextContents()).toSorted()
  const shows = async (path: string, runs: string[]) => {
    await page.getByRole('heading', { level: 1, name: path, exact: true }).waitFor()
    await page
      .locator('.brief')
      .nth(runs.length - 1)
      .waitFor()
    assert.deepEqual(await titles(), runs)
  }

  await page.goto(`${home}#/runs/default/A?view=changes`)
  const files = page.getByRole('list', { name: 'Files' })
  await files.getByText('/etc/hosts').waitFor()
  assert.equal(await files.getByRole('link', { name: '/etc/hosts' }).count(), 0)
  await files.getByRole('link', { name: 'src/auth/session.ts' }).click()
  await shows('src/auth/session.ts', ['Add sessions', 'Fix login'])
  assert.equal(page.url(), `${home}#/files/default/src/auth/session.ts`)
  const facts = page.locator('.brief', { hasText: 'Fix login' }).locator('.facts')
  assert.match((await facts.textContent()) ?? '', /Mateo[^+]*$/, 'the lines of the whole run are not those of the file')

  await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'auth', exact: true }).click()
  await shows('src/auth/', ['Add sessions', 'Fix login', 'Other'])
  assert.equal(page.url(), `${home}#/files/default/src/auth/`)
  await page.getByRole('link', { name: 'Filter these runs' }).click()
  await page.locator('table.runs .title', { hasText: 'Other' }).waitFor()
  await page.getByRole('button', { name: /File or folder: src\/auth\// }).waitFor()

  await page.goto(`${home}#/runs/default/B?view=changes`)
  await files.getByRole('link', { name: odd }).click()
  await shows(odd, ['Fix login'])
  await page.reload()
  await shows(odd, ['Fix login'])
})

test('the list of runs takes a file as a filter, and explains one that cannot be', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ runId: 'A', title: 'Wrote it' })
  await client.createRun({ runId: 'B', title: 'Did not' })
  await client.appendTurn({ runId: 'A', files: [{ path: 'src/a.ts' }] })
  await page.goto(`${home}#/runs`)
  await page.locator('table.runs .title', { hasText: 'Did not' }).waitFor()
  await page.getByText('Filter', { exact: true }).click()
  await page.getByRole('button', { name: 'File or folder' }).click()
  await page.getByLabel('File or folder').fill('./src/')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.locator('table.runs[aria-rowcount="2"] .title', { hasText: 'Wrote it' }).waitFor()
  await page.goto(`${home}#/runs?file=/etc/hosts`)
  await page.getByRole('alert').getByText("file '/etc/hosts' was ignored").waitFor()
})

test('the page of a file whose runs cannot be read says why once', async (t) => {
  const { page, home } = await openPage(t, blank)
  const refusal = { status: 500, json: { error: 'The disk is on fire.', code: 'INTERNAL_ERROR' } }
  await page.route('**/v1/runs?*file=*', (route) => route.fulfill(refusal))
  await page.goto(`${home}#/files/default/src/a.ts`)
  await page.getByText('The disk is on fire.').first().waitFor()
  assert.equal(await page.getByText('The disk is on fire.').count(), 1)
})
