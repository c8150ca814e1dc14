import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Locator } from 'playwright-core'
import { blank, openPage } from '../support/browser.ts'

/** Turns all that follows it from right to left. */
const turn = '\u202e'

const boxOf = (place: Locator) => place.evaluate((element) => element.getBoundingClientRect())

test('a text that turns its direction turns nothing beside it, and commands show such characters', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const command = `rm -rf ${turn}tset`
  await client.createRun({ title: `safe ${turn}detcejer`, agent: `codex ${turn}`, status: 'in_progress', command })
  await client.createCheck({ runId: 'RUN-001', name: `tests ${turn}`, result: 'pass', command, exitCode: 0 })
  await client.appendTurn({ runId: 'RUN-001', prompt: 'Go', commands: [{ command: `${command}\nls`, exitCode: 0 }] })
  const since = new Date().toISOString()
  await client.heartbeat({ runId: 'RUN-001', activity: { state: 'working', tool: 'Bash', target: command, since } })
  await page.goto(`${home}#/`)
  await page.locator('.lane .doing', { hasText: 'rm -rf \\u202etset' }).waitFor()

  await page.goto(`${home}#/runs/default/RUN-001`)
  await page.locator('.about code', { hasText: 'rm -rf \\u202etset' }).waitFor()
  await page.locator('.checks code', { hasText: 'rm -rf \\u202etset' }).waitFor()
  await page
    .locator('.turn code')
    .filter({ hasText: /^rm -rf \\u202etset\nls$/ })
    .waitFor()

  await page.goto(`${home}#/activity?view=events`)
  const row = page.locator('.activity li', { hasText: 'created run' })
  const [title, project] = [row.getByText('safe'), row.locator('.muted', { hasText: 'in default' })]
  await project.waitFor()
  const [end, begin] = [(await boxOf(title)).right, (await boxOf(project)).left]
  assert.ok(begin >= end, `the project begins at ${begin}, and the title ends at ${end}`)
})
