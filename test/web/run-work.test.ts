import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blank, openPage } from '../support/browser.ts'

const [base, commit] = ['1'.repeat(40), '2'.repeat(40)]

test('the changes of a run link to its host: commits, branch, comparison and pull request', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const git = { repository: 'git@github.com:acme/shop.git', branch: 'fix/holds', base, commit }
  const { run } = await client.createRun({
    title: 'Hold a boat',
    status: 'in_progress',
    git,
    links: [
      { rel: 'job', href: 'https://ci.example.com/77' },
      { rel: 'pull request', href: 'https://github.com/acme/shop/pull/12' },
    ],
  })
  const files = Array.from({ length: 12 }, (_, n) => ({ path: `src/file-${n}.ts`, insertions: 100 - n, deletions: n }))
  await client.appendTurn({ runId: run.runId, prompt: 'Go on', files, git: { ...git, commits: [commit] } })
  await page.goto(`${home}#/runs/default/RUN-001`)
  const changed = page.getByRole('region', { name: 'What changed' })
  const leads = async (name: string, to: string) =>
    assert.equal(await changed.getByRole('link', { name }).first().getAttribute('href'), to)
  await changed.getByText('12 files').waitFor()
  await leads('fix/holds', 'https://github.com/acme/shop/tree/fix/holds')
  await leads(base.slice(0, 12), `https://github.com/acme/shop/commit/${base}`)
  await leads('Compare', `https://github.com/acme/shop/compare/${base}...${commit}`)
  assert.match((await changed.locator('a.outer').first().textContent()) ?? '', /^pull request #12/)
  await changed.getByText('1 commit', { exact: true }).waitFor()
  assert.equal(
    await page.locator('.about').getByRole('link', { name: 'git@github.com' }).getAttribute('href'),
    'https://github.com/acme/shop',
  )

  await changed.getByRole('link', { name: '12 files' }).click()
  await page.getByText('No diff was recorded.').waitFor()
  const rows = page.getByRole('list', { name: 'Files' }).getByRole('listitem')
  await rows.nth(11).waitFor()
  assert.equal(await rows.count(), 12)
  const widths = await rows
    .nth(1)
    .locator('.lines-bar span')
    .evaluateAll((all) => all.map((one) => one.style.width))
  assert.deepEqual(widths, ['99%', '1%'])
})

test('commits of a repository on an unknown host are plain text', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ git: { repository: 'git@git.example.com:acme/shop.git', branch: 'main', base, commit } })
  await page.goto(`${home}#/runs/default/RUN-001`)
  const changed = page.getByRole('region', { name: 'What changed' })
  await changed.getByText(commit.slice(0, 12)).waitFor()
  assert.equal(await changed.getByRole('link').count(), 0)
  assert.equal(await page.locator('.about').getByRole('link', { name: 'git.example.com' }).count(), 0)
})

test('on a phone, a run that waits is as wide as the screen, and so are its menus and dialogs', async (t) => {
  const { page, home, client } = await openPage(t, blank, {
    viewport: { width: 360, height: 740 },
    isMobile: true,
    hasTouch: true,
  })
  await client.createRun({ title: 'Migrate', author: 'Anna-Katharina Schmidt <a@example.com>', status: 'in_progress' })
  await client.appendTurn({ runId: 'RUN-001', n: 1, open: true, prompt: 'Migrate all of it' })
  const activity = { state: 'waiting', tool: 'Bash', target: 'npm run migrate' } as const
  const since = new Date(Date.now() - 50 * 60_000).toISOString()
  await client.heartbeat({ runId: 'RUN-001', activity: { ...activity, since } })
  await client.createRun({ title: 'Done', status: 'completed' })
  const rightOf = (selector: string) =>
    page.locator(selector).evaluate((element) => element.getBoundingClientRect().right)
  await page.goto(`${home}#/runs/default/RUN-001`)
  await page.locator('.turn .silence').waitFor()
  assert.equal(await page.evaluate(() => innerWidth), 360)
  await page.getByRole('button', { name: 'Add check' }).tap()
  assert.ok((await rightOf('dialog')) <= 360)
  await page.goto(`${home}#/runs/default/RUN-002`)
  await page.locator('.actions summary').last().tap()
  await page.getByRole('button', { name: 'Delete run' }).waitFor()
  assert.ok((await rightOf('[open] > .sheet')) <= 360)
})

test("failing checks come first, replaced ones last, and the retry command contains the run's command", async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { run } = await client.createRun({ title: 'Check me', status: 'completed', command: 'npm test' })
  const { runId } = run
  await client.createCheck({ runId, name: 'tests', result: 'fail' })
  await client.createCheck({ runId, name: 'lint', result: 'fail' })
  await client.createCheck({ runId, name: 'types', result: 'warn' })
  await client.createCheck({ runId, name: 'tests', result: 'pass' })
  await page.goto(`${home}#/runs/default/RUN-001`)
  await page.getByRole('heading', { name: 'Checks 1 fail, 1 warn, 1 pass' }).waitFor()
  const checks = page.getByRole('region', { name: 'Checks' })
  assert.deepEqual(await checks.locator('> .checks .name').allTextContents(), ['lint', 'types', 'tests'])
  await checks.getByText('1 earlier').click()
  await checks.getByText('replaced by CHECK-004').waitFor()
  await page
    .locator('.retry')
    .getByText('conduct exec --project default --retry-of RUN-001 -- npm test', { exact: true })
    .waitFor()
  const ended = page.locator('.about div', { hasText: 'Ended' }).locator('time')
  const moment = new Date(run.endedAt ?? '')
  assert.ok((await ended.textContent())?.includes(moment.toLocaleDateString('en', { dateStyle: 'medium' })))

  const hidden = 'npm test; curl x | sh'.padEnd(250)
  await client.createRun({ runId: 'LONG', status: 'failed', command: hidden })
  await page.goto(`${home}#/runs/default/LONG`)
  await page
    .locator('.retry')
    .getByText('conduct exec --project default --retry-of LONG -- ', { exact: true })
    .waitFor()

  const commands = {
    "echo 'a && b' 'it'\\''s'": "echo 'a && b' 'it'\\''s'",
    "npm test && echo 'done'": "sh -c 'npm test && echo '\\''done'\\'''",
    'CI=1 npm test': "sh -c 'CI=1 npm test'",
  }
  for (const [command, words] of Object.entries(commands)) {
    const { run } = await client.createRun({ status: 'failed', command })
    await page.goto(`${home}#/runs/default/${run.runId}`)
    const line = `conduct exec --project default --retry-of ${run.runId} -- ${words}`
    await page.locator('.retry').getByText(line, { exact: true }).waitFor()
  }
})

test('a finished session is resumed rather than repeated, and what completed without a command has nothing to repeat', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const where = { cwd: '/home/josé/our boats', session: 's-1' }
  await client.createRun({ runId: 'CODEX', status: 'completed', agent: 'codex', where })
  await client.createRun({ runId: 'CURSOR', status: 'failed', agent: 'cursor', where })
  await client.createRun({ runId: 'DONE', status: 'completed' })
  await page.goto(`${home}#/runs/default/CODEX`)
  await page.locator('.retry').getByText("cd '/home/josé/our boats' && codex resume s-1", { exact: true }).waitFor()
  for (const runId of ['CURSOR', 'DONE']) {
    await page.goto(`${home}#/runs/default/${runId}`)
    await page.locator('.crumbs', { hasText: runId }).waitFor()
    await page.getByRole('heading', { name: 'Checks none recorded' }).waitFor()
    assert.equal(await page.locator('.retry').count(), 0, runId)
  }
})
