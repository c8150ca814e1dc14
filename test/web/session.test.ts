import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blank, openPage } from '../support/browser.ts'

test('a session is shown by turns, each with its actions, usage and cost', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { run } = await client.createRun({ title: 'Hold a boat', agent: 'claude-code', status: 'in_progress' })
  await client.appendTurn({
    runId: run.runId,
    prompt: 'Hold a boat for ten minutes.\nTwo guests must not get the same one.',
    answer: 'A boat is now **held** for ten minutes.',
    startedAt: '2026-03-02T09:00:00.000Z',
    endedAt: '2026-03-02T09:03:20.000Z',
    plan: [
      { text: 'Write a failing test', status: 'completed' },
      { text: 'Add the hold', status: 'in_progress' },
    ],
    files: [{ path: 'src/booking/hold.ts', insertions: 42, deletions: 3 }],
    uncredited: { files: 300, sessions: 2 },
    commands: [
      { command: 'npm test', exitCode: 1, durationMs: 8200 },
      { command: 'npm run lint', exitCode: 0, durationMs: 900 },
    ],
    tools: [{ name: 'Edit', count: 3, failed: 1 }],
    agents: [{ name: 'reviewer', turns: 2, tokens: 1200 }],
    usage: { model: 'claude-sonnet', inputTokens: 120_000, outputTokens: 3400, costUsd: 0.412, costSource: 'reported' },
  })
  await client.appendTurn({
    runId: run.runId,
    prompt: 'Go on',
    interrupted: true,
    failure: { code: 'RATE_LIMITED', message: 'The provider refused the request.' },
  })
  await page.goto(`${home}#/runs/default/RUN-001`)
  const first = page.locator('#turn-1')
  for (const words of ['Hold a boat for ten minutes.', '1 file+42', '1 of 2 commands failed', '$0.41', '3m 20s']) {
    await first.locator('header').getByText(words, { exact: false }).first().waitFor()
  }
  assert.equal(await first.locator('.turn-body').count(), 0)
  await first.getByRole('button', { name: 'Hold a boat for ten minutes.' }).click()
  for (const words of [
    'Two guests must not get the same one.',
    '120K in, 3.4K out',
    '1 of 2 done',
    'src/booking/hold.ts',
    'exit code 1',
    '300 files changed while 2 sessions ran commands; credited to none of them.',
    '8s',
    '1 failed',
    'Edit ×3 (1 failed)',
    'reviewer',
    '1,200 tokens',
  ]) {
    await first.getByText(words, { exact: false }).first().waitFor()
  }
  const answer = page.getByRole('region', { name: 'Last answer' })
  assert.equal(await answer.locator('strong').textContent(), 'held')
  const second = page.locator('#turn-2')
  for (const words of ['Interrupted', 'RATE_LIMITED']) await second.getByText(words).waitFor()
  await second.getByText('—', { exact: true }).waitFor()
  assert.equal(await page.getByText('$0.00').count(), 0)
})

test('a turn has a link, new turns appear, and long texts are folded', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { run } = await client.createRun({ title: 'Long session', status: 'in_progress' })
  const add = (n: number) =>
    client.appendTurn({
      runId: run.runId,
      prompt: `Prompt ${n}`,
      answer: `${'A line.\n\n'.repeat(30)}The end of ${n}.`,
    })
  for (let n = 1; n <= 120; n++) await add(n)
  await page.goto(`${home}#/runs/default/RUN-001?turn=110`)
  const asked = page.locator('#turn-110.marked')
  await asked.waitFor()
  await page.waitForFunction(() => {
    const top = document.getElementById('turn-110')?.getBoundingClientRect().top ?? -1
    return top >= 0 && top < innerHeight
  })
  assert.equal(await asked.getByText('The end of 110.').count(), 0)
  await asked.getByRole('button', { name: 'Show all' }).click()
  await asked.getByText('The end of 110.').waitFor()
  await page.locator('#turn-120').getByRole('link', { name: 'Turn 120' }).click()
  await page.waitForURL(/turn=120$/)
  await add(121)
  await page.locator('#turn-121').getByText('Prompt 121').waitFor()
  assert.equal(await page.locator('.turn').count(), 121)
  await page.goto(`${home}#/runs/default/RUN-001?turn=999`)
  await page.getByText('This session has no turn 999.').waitFor()
  await page.waitForFunction(
    () => (document.getElementById('turn-999')?.getBoundingClientRect().top ?? 1e9) < innerHeight,
  )
})

test('a live session shows the open turn, on its page and on Now', async (t) => {
  const { page, client, openTab } = await openPage(t)
  const where = { cwd: '/home/ada/boats', session: 's1' }
  const { run } = await client.createRun({ title: 'Hold a boat', agent: 'claude-code', status: 'in_progress', where })
  const { runId } = run
  await client.heartbeat({
    runId,
    activity: { state: 'working', tool: 'Edit', target: '/home/ada/boats/src/hold.ts' },
  })
  await page.reload()
  const lane = page.locator('.lane')
  await lane.getByText('src/hold.ts', { exact: true }).waitFor()

  const tab = await openTab(`#/runs/default/${runId}`)
  const open = tab.locator('.turn.open')
  for (const words of ['Turn 1', /^working, /, 'Edit']) await open.getByText(words).waitFor()
  await open.getByText('src/hold.ts', { exact: true }).waitFor()
  assert.equal(await tab.getByText('No turns yet.').count(), 0)

  await client.appendTurn({ runId, prompt: 'Hold a boat', answer: 'Held.' })
  await tab.getByRole('region', { name: 'Last answer' }).getByText('Held.').waitFor()
  await open.waitFor({ state: 'detached' })
  await lane.getByText('Held.').waitFor()
  await client.heartbeat({ runId, activity: { state: 'waiting', tool: 'Bash', target: 'rm -rf dist' } })
  await tab.locator('.standing').getByText('Waiting', { exact: true }).waitFor()
  for (const words of ['Turn 2', /^waiting, /, 'rm -rf dist']) await open.getByText(words).waitFor()
  await client.updateRun({ runId, status: 'completed' })
  await open.waitFor({ state: 'detached' })
})

test('the first turn does not take the log away from its reader', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { run } = await client.createRun({ status: 'in_progress', content: 'What happened so far' })
  const add = (prompt: string) => client.appendTurn({ runId: run.runId, prompt })
  await page.goto(`${home}#/runs/default/${run.runId}`)
  await page.locator('.prose').getByText('What happened so far').waitFor()
  await add('Go on')
  await page.getByRole('link', { name: 'Session' }).waitFor()
  assert.equal(await page.locator('.prose').getByText('What happened so far').isVisible(), true)
  await page.getByRole('link', { name: 'Session' }).click()
  await page.locator('#turn-1').getByText('Go on').waitFor()
  await page.goto(`${home}?again#/runs/default/${run.runId}`)
  await page.locator('#turn-1').waitFor()
})

test('the open turn shows what the agent did so far, without a reload, until it is closed', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { run, lease } = await client.createRun({ title: 'Hold a boat', agent: 'claude-code', leaseSeconds: 600 })
  const held = { runId: run.runId, leaseToken: lease?.token ?? '' }
  const activity = { state: 'working', tool: 'Bash', target: 'npm run lint' } as const
  await client.heartbeat({ ...held, activity })
  await page.goto(`${home}#/runs/default/${run.runId}`)
  const open = page.locator('.turn.open')
  await open.getByText('Turn 1').waitFor()
  await client.appendTurn({ ...held, n: 1, open: true, prompt: 'Hold a boat for ten minutes.', model: 'claude-sonnet' })
  await open.getByText('Hold a boat for ten minutes.').waitFor()
  const turn = {
    n: 1,
    plan: [{ text: 'Write a failing test', status: 'in_progress' as const }],
    files: [{ path: 'src/booking/hold.ts' }],
    commands: [{ command: 'npm test', exitCode: 1 }],
    tools: [{ name: 'Edit', count: 3 }],
    agents: [{ name: 'reviewer' }],
  }
  await client.heartbeat({ ...held, activity, turn })
  for (const words of [
    ...['Write a failing test', 'src/booking/hold.ts', 'npm test', 'exit code 1', 'Tools: Edit ×3', 'reviewer'],
    ...['Now:', 'npm run lint', /^began /, /^last seen /],
  ]) {
    await open.getByText(words).waitFor()
  }
  await client.appendTurn({ ...held, n: 1, prompt: 'Hold a boat for ten minutes.', answer: 'Held.' })
  await page.getByRole('region', { name: 'Last answer' }).getByText('Held.').waitFor()
  await open.waitFor({ state: 'detached' })
  assert.equal(await page.locator('.turn').count(), 1)
})

test('a turn whose end was lost stays on the page of its run', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  const { run } = await client.createRun({ title: 'Hold a boat', status: 'in_progress' })
  const { runId } = run
  await client.appendTurn({ runId, n: 1, open: true, prompt: 'Hold a boat.' })
  await client.heartbeat({ runId, turn: { commands: [{ command: 'npm test', exitCode: 0 }] } })
  await client.updateRun({ runId, status: 'failed' })
  await page.goto(`${home}#/runs/default/${runId}`)
  const open = page.locator('.turn.open')
  for (const words of ['Hold a boat.', 'npm test', 'not finished'])
    await open.getByText(words, { exact: true }).waitFor()
  assert.equal(await page.getByText('No turns.').count(), 0)
})

test('the prompts of a session keep their place beside files, commands, cost and time, in every width', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createRun({ runId: 'R', title: 'Hold a boat' })
  for (let n = 1; n <= 5; n++) {
    await client.appendTurn({
      ...{ runId: 'R', prompt: 'Hold a boat for ten minutes, so that two guests never get the same one.' },
      files: [{ path: 'src/booking/hold.ts', insertions: 1042, deletions: 334 }],
      commands: [{ command: 'npm test', exitCode: 1 }, { command: 'npm run lint' }],
      ...{ startedAt: '2026-03-02T09:00:00.000Z', endedAt: '2026-03-02T09:43:20.000Z' },
      usage: { costUsd: 12.41 },
    })
  }
  await page.goto(`${home}#/runs/default/R`)
  const head = page.locator('#turn-1 header')
  await head.waitFor()
  for (const width of [1440, 1280, 1024, 960, 720, 390, 360]) {
    await page.setViewportSize({ width, height: 800 })
    const [asked, all] = await Promise.all([head.locator('.asked').boundingBox(), head.boundingBox()])
    assert.ok((asked?.width ?? 0) > (all?.width ?? 0) / 3, `${asked?.width} of ${all?.width} pixels at ${width}`)
    const ends = await head
      .locator(':scope > *')
      .evaluateAll((all) =>
        all.map((one) => one.getBoundingClientRect()).map(({ left, right, top }) => [left, right, top]),
      )
    for (const [at, [left = 0, , top]] of ends.entries()) {
      const [, right = 0, before] = ends[at - 1] ?? []
      assert.ok(top !== before || left >= right, `part ${at} begins at ${left}, before ${right}, at ${width}`)
    }
  }
})
