import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPage } from '../browser.ts'

test('a run that is started shows up as a lane, with its last line as it grows', async (t) => {
  const { page, remote, faults } = await openPage(t)
  await page.getByText('Nothing is in progress').waitFor()
  const { run, lease } = await remote.createRun({
    title: 'Mend the login',
    agent: 'claude-code',
    where: { cwd: '/home/ada/shop' },
    leaseSeconds: 60,
  })
  const lane = page.locator('.lane', { hasText: 'Mend the login' })
  await lane.getByText('/home/ada/shop').waitFor()
  await remote.appendToRun({ runId: run.runId, text: 'first\nthen the tests\n', leaseToken: lease?.token })
  await lane.getByText('then the tests').waitFor()
  await remote.updateRun({ runId: run.runId, status: 'completed', leaseToken: lease?.token })
  await lane.waitFor({ state: 'detached' })
  await page.getByRole('region', { name: 'Newest that ended' }).getByText('Mend the login').waitFor()
  assert.deepEqual(faults, [])
})
