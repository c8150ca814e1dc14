import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blank, openPage } from '../support/browser.ts'

const secret = 'correct-horse-battery'

test('the diffs of a run are on its page as they were recorded, lead to their files, and go when they are erased', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const runId = 'R'
  const path = 'src/auth/session.ts'
  await client.createRun({ runId, title: 'Add sessions', status: 'in_progress' })
  const { turn } = await client.appendTurn({
    runId,
    prompt: 'Add sessions',
    files: [{ path, insertions: 2, deletions: 1 }, { path: 'logo.png' }],
  })
  await client.addDiffs({
    runId,
    turn: turn.n,
    diffs: [
      {
        path,
        change: {
          ...{ status: 'modified', insertions: 2, deletions: 1 },
          patch: `@@ -1,2 +1,3 @@ export function open()\n-const key = 'old'\n+const key = '${secret}'\n+const days = 30\n done()\n`,
        },
      },
      { path: 'logo.png', change: { status: 'added', binary: true, bytes: 1234 } },
    ],
  })
  await client.createRun({ runId: 'OTHER', title: 'Fix sessions', status: 'completed' })
  await client.appendTurn({ runId: 'OTHER', files: [{ path }] })

  await page.goto(`${home}#/runs/default/R`)
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Changes' }).click()
  const file = page.getByRole('region', { name: path, exact: true })
  await file.getByText(`const key = '${secret}'`).waitFor()
  await page.getByRole('region', { name: 'logo.png' }).getByText('Binary file, 1,234 bytes.').waitFor()
  const copied = await file.locator('.patch').evaluate((patch) => {
    getSelection()?.selectAllChildren(patch)
    return getSelection()?.toString().split('\n').filter(Boolean)
  })
  assert.deepEqual(copied, ["const key = 'old'", `const key = '${secret}'`, 'const days = 30', 'done()'])

  await file.getByRole('link', { name: `Runs that wrote ${path}` }).click()
  await page.getByRole('heading', { level: 1, name: path }).waitFor()
  await page.locator('.brief', { hasText: 'Fix sessions' }).waitFor()

  await page.goBack()
  await file.getByText(`const key = '${secret}'`).waitFor()
  await client.updateRun({ runId, status: 'completed' })
  await client.erase({ runId })
  await page.waitForFunction((text) => !document.body.innerHTML.includes(text), secret)
  await page.getByText('Its text was erased, or its retention is over.').first().waitFor()
  const { files } = await client.getDiff({ runId })
  assert.deepEqual(
    files.map(({ patch }) => patch),
    [undefined, undefined],
  )
})
