import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { blank, openPage } from '../support/browser.ts'

const failure = { code: 'MERGE_CONFLICT', message: 'The rebase onto main conflicts in 2 files.\nMore.' }
const author = 'Ada Lund <ada@example.com>'

/** The page *Now* of a ledger in which a first attempt failed and a second one wrote a file. */
async function openNow(t: TestContext) {
  const shown = await openPage(t, blank)
  const { client, page, home } = shown
  const usage = { costUsd: 1.5 }
  await client.createRun({ runId: 'A', title: 'First try', author, agent: 'codex', status: 'failed', failure, usage })
  await client.createRun({ runId: 'B', title: 'Second try', author, status: 'in_progress', retryOf: 'A' })
  await client.appendTurn({ runId: 'B', prompt: 'Go on', files: [{ path: 'src/a.ts', insertions: 1 }] })
  await client.createCheck({ runId: 'B', name: 'tests', result: 'fail' })
  await client.updateRun({ runId: 'B', status: 'completed' })
  await page.goto(`${home}#/`)
  await page.getByText('2 runs ended').waitFor()
  return shown
}

test('from Now, one step leads to why runs failed, to costs by author, and to the runs of a file', async (t) => {
  const { page } = await openNow(t)
  await page.getByRole('link', { name: '1 failed' }).click()
  await page.getByRole('columnheader', { name: 'Why it failed' }).waitFor()
  await page.getByText('MERGE_CONFLICT: The rebase onto main conflicts in 2 files.', { exact: true }).waitFor()

  await page.goBack()
  await page.getByRole('link', { name: '$1.50 cost' }).click()
  await page.getByRole('navigation', { name: 'Compare by' }).locator('[aria-current]', { hasText: 'Author' }).waitFor()
  await page.getByRole('navigation', { name: 'Period' }).locator('[aria-current]', { hasText: '7' }).waitFor()
  await page
    .getByRole('cell', { name: /Ada Lund/ })
    .or(page.getByRole('rowheader', { name: /Ada Lund/ }))
    .waitFor()

  await page.keyboard.press('/')
  await page.keyboard.type('./src/a.ts')
  await page.getByRole('option', { name: 'Runs that wrote src/a.ts' }).waitFor()
  await page.keyboard.press('Enter')
  await page.locator('table.runs[aria-rowcount="2"] .title', { hasText: 'Second try' }).waitFor()
})

test('attempts lead to their comparison, picked runs by a key, and views of a run by digits', async (t) => {
  const { page, home } = await openNow(t)
  await page.goto(`${home}#/runs/default/B`)
  const attempts = page.locator('.attempts')
  await attempts.getByText('Failing').waitFor()
  await attempts.getByRole('link', { name: 'Compare A with this one' }).click()
  await page.waitForURL(/#\/compare\?run=default%2FA&run=default%2FB$/)

  await page.goto(`${home}#/runs`)
  await page.locator('table.runs .title').first().waitFor()
  for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key)
  await page.getByRole('link', { name: 'Compare B and A' }).waitFor()
  await page.keyboard.press('c')
  await page.waitForURL(/#\/compare\?run=default%2FB&run=default%2FA$/)

  await page.goto(`${home}#/runs/default/B`)
  const view = page.getByRole('navigation', { name: 'Views' }).locator('[aria-current]')
  await view.getByText('Session').waitFor()
  await page.keyboard.press('2')
  await view.getByText('Changes').waitFor()
  await page.keyboard.press('1')
  await view.getByText('Session').waitFor()
})

test('on a phone, a row has the verdict of its run, and why it failed, and the digest says what nobody checked', async (t) => {
  const { page, client, home } = await openPage(t, blank, { viewport: { width: 390, height: 800 } })
  await client.createRun({ runId: 'A', title: 'First try', author, status: 'failed', failure })
  await client.createRun({ runId: 'B', title: 'Second try', status: 'completed' })
  await client.createCheck({ runId: 'B', name: 'tests', result: 'fail' })
  await client.createRun({ runId: 'C', title: 'Third try', status: 'completed' })
  await page.goto(`${home}#/runs`)
  const row = (title: string) => page.locator('table.runs tr', { hasText: title })
  await row('Second try').getByText('default / B · Failing', { exact: true }).waitFor()
  await row('Third try').getByText('default / C · Unchecked', { exact: true }).waitFor()
  await row('First try').waitFor()
  assert.match(
    (await row('First try').locator('.id').textContent()) ?? '',
    /^default \/ A · MERGE_CONFLICT: The rebase/,
  )
  await page.goto(`${home}#/`)
  await page.locator('.recap', { hasText: 'Third try' }).getByText('Unchecked', { exact: true }).waitFor()
})

test('a list of failures says why each failed, also one of which only an exit code was recorded', async (t) => {
  const { client, page, home } = await openPage(t, blank)
  await client.createRun({ title: 'Rebase', status: 'failed', failure })
  await client.createRun({ title: 'Nightly', status: 'failed', exitCode: 3 })
  await page.goto(`${home}#/runs?status=failed`)
  await page.getByRole('columnheader', { name: 'Why it failed' }).waitFor()
  await page.getByRole('cell', { name: /^MERGE_CONFLICT: / }).waitFor()
  await page.getByRole('cell', { name: 'exit code 3', exact: true }).waitFor()
  for (const [address, place] of [
    ['#/runs/default/RUN-002', '.standing'],
    ['#/activity', '.feed li'],
    ['#/', '.recap'],
  ] as const) {
    await page.goto(home + address)
    await page.locator(place).getByText('exit code 3').waitFor()
  }
})
