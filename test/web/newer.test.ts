import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { blank, openPage } from '../support/browser.ts'

/** Replaces texts in all answers, as a server might answer that is newer than the page. */
async function answerWith(page: Page, replacements: readonly (readonly [RegExp, string])[]) {
  await page.route('**/v1/**', async (route) => {
    const request = route.request()
    if (request.method() !== 'GET' || request.headers().accept === 'text/event-stream') return route.fallback()
    // A request that the browser does not make itself does not say where it comes from.
    const headers = { ...(await request.allHeaders()), 'sec-fetch-site': 'same-origin' }
    try {
      const response = await route.fetch({ headers })
      const text = await response.text()
      const body = replacements.reduce((body, [from, to]) => body.replaceAll(from, to), text)
      await route.fulfill({ response, body })
    } catch {
      // The page is closed, or no longer wants it.
    }
  })
}

test('a state that only a newer server knows has its own name, and the page stays', async (t) => {
  const { page, home, client } = await openPage(t, blank)
  await client.createFeature({ name: 'login' })
  await client.createSpec({ specId: 'A-1', content: '# Log in' })
  const { run } = await client.createRun({ title: 'First', specId: 'A-1', status: 'in_progress' })
  const { runId } = run
  await client.appendTurn({ runId, prompt: 'Go', plan: [{ text: 'Look', status: 'completed' }] })
  await client.createCheck({ runId, name: 'tests', result: 'fail' })
  await client.updateRun({ runId, status: 'completed' })
  await client.linkFeatures({ runId, featureIds: [1] })
  await answerWith(page, [
    [/"status":"completed"/g, '"status":"on_hold"'],
    [/"verdict":"failing"/g, '"verdict":"sworn"'],
    [/"why":"[^"]*"/g, '"why":null'],
    [/"result":"fail"/g, '"result":"skipped"'],
    [/"evidence":"[a-z]+"/g, '"evidence":"notarized"'],
    [/"reason":"failing"/g, '"reason":"odd"'],
    [/"status":"draft"/g, '"status":"signed_off"'],
    [/"kind":"turn"/g, '"kind":"review"'],
  ])
  const shown: [address: string, word: string][] = [
    ['#/', 'Odd'],
    ['#/runs', 'On hold'],
    ['#/runs?q=First', 'First'],
    [`#/runs/default/${runId}`, 'Skipped'],
    [`#/runs/default/${runId}`, 'notarized'],
    [`#/runs/default/${runId}?view=timeline`, 'Skipped'],
    [`#/compare?run=default/${runId}&run=default/${runId}`, 'Sworn'],
    ['#/specs', 'On hold'],
    ['#/specs/default/A-1', 'Signed off'],
    ['#/features', 'On hold'],
    ['#/features/default/1', 'On hold'],
    ['#/projects', 'On hold'],
  ]
  for (const [address, word] of shown) {
    await page.goto(home + address)
    const fault = page.getByText('could not be drawn')
    await page.locator('main').getByText(word).filter({ visible: true }).or(fault).first().waitFor()
    assert.equal(await fault.count(), 0, address)
  }
})
