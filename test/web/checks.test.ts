import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { blank, openPage, type Shown } from '../support/browser.ts'

const keyOf = async ({ client, home }: Shown, name: string) => {
  const { secret } = await client.createKey({ name, permissions: ['write'] })
  return createClient({ url: home.replace(/\/$/, ''), key: secret, attempts: 1 })
}

test('the checks that count are those of the verdict, on the page of a run, in a comparison and on Now', async (t) => {
  const shown = await openPage(t, blank)
  const { page, home } = shown
  const [agent, ci] = [await keyOf(shown, 'agent'), await keyOf(shown, 'ci')]
  const command = 'npm test'
  await agent.createRun({ runId: 'A', title: 'May it be merged?', status: 'completed' })
  await ci.createCheck({ runId: 'A', name: 'tests', result: 'fail', exitCode: 1, command })
  await agent.createCheck({ runId: 'A', name: 'tests', result: 'pass', exitCode: 0, command })
  await agent.createRun({ runId: 'B', title: 'Only lint fails', status: 'completed' })
  await agent.createCheck({ runId: 'B', name: 'tests', result: 'fail', exitCode: 1, command })
  await agent.createCheck({ runId: 'B', name: 'lint', result: 'fail', exitCode: 2 })
  await agent.createCheck({ runId: 'B', name: 'tests', result: 'pass', exitCode: 0, command })

  await page.goto(`${home}#/runs/default/A`)
  await page.getByRole('heading', { name: 'Checks 1 fail, 1 pass' }).waitFor()
  const rows = page.locator('.checks > li')
  for (const [n, words] of [/Fail.*tests.*ci/, /Pass.*tests.*agent/].entries()) {
    assert.match((await rows.nth(n).textContent()) ?? '', words)
  }
  assert.equal(await page.getByText('replaced by CHECK-').count(), 0)
  await page.goto(`${home}#/runs/default/B`)
  await page.getByRole('heading', { name: 'Only lint fails', level: 1 }).waitFor()
  await page.getByRole('heading', { name: 'Checks 1 fail, 1 pass' }).waitFor()
  assert.equal(await page.getByText('replaced by CHECK-').count(), 1)

  await page.goto(`${home}#/compare?run=default/A&run=default/B`)
  const cells = page.getByRole('row', { name: 'tests' }).getByRole('cell')
  await cells.first().waitFor()
  assert.deepEqual(await cells.allTextContents(), ['Fail', 'Pass'])

  await page.goto(`${home}#/`)
  await page
    .locator('.brief', { hasText: 'Only lint' })
    .getByText(/lint.* failed/)
    .first()
    .waitFor()
})

test('the comparison of runs shows all checks, and new ones that leave the verdicts as they are', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const check = (runId: string, name: string) => client.createCheck({ runId, name, result: 'warn' })
  for (const runId of ['A', 'B']) await client.createRun({ runId, status: 'completed' })
  await check('A', 'early')
  for (let n = 0; n < 101; n++) await check('A', 'again')
  await page.goto(`${home}#/compare`)
  await page.locator('.empty p').getByText('To compare two runs, pick them in the list of runs.').waitFor()
  await page.goto(`${home}#/compare?run=default/A&run=default/B`)
  const named = (name: string) => page.locator('.compare').getByRole('rowheader', { name })
  for (const name of ['early', 'again']) await named(name).waitFor()
  const { check: late } = await check('A', 'late')
  await named('late').waitFor()
  await client.deleteCheck({ checkId: late.checkId })
  await named('late').waitFor({ state: 'detached' })
})

test('a review counts for the work that was there when it began, also if it is sent later', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const [one, two] = ['1'.repeat(40), '2'.repeat(40)]
  await client.createRun({ runId: 'A', status: 'completed', git: { tree: one } })
  await page.goto(`${home}#/runs/default/A`)
  await page.getByRole('button', { name: 'Add check' }).click()
  const form = page.getByRole('dialog', { name: 'Check A' })
  await form.getByLabel('What was found').fill('Fine.')
  await client.updateRun({ runId: 'A', title: 'More work', git: { tree: two } })
  await page.getByRole('heading', { level: 1, name: 'More work' }).waitFor()
  await page.reload()
  await page.getByRole('button', { name: 'Add check' }).click()
  await form.getByText('You did not save this text').waitFor()
  await form.getByRole('button', { name: 'Add check' }).click()
  await form.waitFor({ state: 'detached' })
  const { checks } = await client.listChecks({ runId: 'A' })
  assert.deepEqual(
    checks.map(({ tree }) => tree),
    [one],
  )
})

test('what could not be read of a run does not pass for what is not there', async (t) => {
  const { page, client, home, live } = await openPage(t, blank)
  await client.createRun({ runId: 'A', title: 'Mend it', status: 'completed' })
  await client.appendTurn({ runId: 'A', prompt: 'Mend it.', answer: 'It is mended.' })
  await client.createCheck({ runId: 'A', name: 'tests', result: 'fail' })
  // A page that begins to receive events reads again by itself.
  await page.goto(home)
  await live
  const parts = { checks: '**/v1/runs/A/timeline*', answer: '**/v1/runs/A/turns?*order=desc*' }
  for (const [words, part] of Object.entries(parts)) {
    await page.route(part, (route) => route.fulfill({ status: 500, json: { error: words, code: 'INTERNAL_ERROR' } }))
  }
  await page.goto(`${home}#/runs/default/A`)
  const overview = page.locator('.overview')
  for (const [words, part] of Object.entries(parts)) {
    const problem = overview.getByRole('alert').filter({ hasText: words })
    await problem.waitFor()
    assert.equal(await page.getByText('none recorded').count(), 0)
    await page.unroute(part)
    await problem.getByRole('button', { name: 'Try again' }).click()
    await problem.waitFor({ state: 'detached' })
  }
  await overview.getByRole('heading', { name: 'Checks 1 fail' }).waitFor()
  await overview.getByText('It is mended.').waitFor()
})
