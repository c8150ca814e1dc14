import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { blank, openPage, type Shown } from '../support/browser.ts'

const [ada, mateo] = ['Ada <ADA@example.com>', 'Mateo Ruiz <mateo@example.com>']

async function addWaiting({ client }: Shown, title: string, author: string) {
  const { run } = await client.createRun({ title, author, agent: 'codex', status: 'in_progress' })
  await client.heartbeat({ runId: run.runId, activity: { state: 'waiting', tool: 'Bash', target: 'npm test' } })
}

test('Mine narrows lanes, lists, counts and the title of the tab, and this browser keeps the choice', async (t) => {
  const shown = await openPage(t, blank, { person: 'Ada Lund <ada@example.com>' })
  const { page, home, client } = shown
  await addWaiting(shown, 'Her migration', ada)
  await addWaiting(shown, 'His migration', mateo)
  await client.createRun({ title: 'His failure', author: mateo, status: 'failed' })
  await page.goto(`${home}#/`)
  const lanes = page.locator('.lane')
  await lanes.filter({ hasText: 'waiting for you' }).filter({ hasText: 'Her migration' }).waitFor()
  await lanes.filter({ hasText: 'waiting for Mateo Ruiz' }).filter({ hasText: 'His migration' }).waitFor()
  assert.match((await lanes.first().textContent()) ?? '', /Her migration/)
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
  const shown = await openPage(t, blank)
  const { page, home } = shown
  await addWaiting(shown, 'Her migration', ada)
  await page.goto(`${home}#/runs?mine=true`)
  await page.locator('table.runs .title', { hasText: 'Her migration' }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Mine' }).count(), 0)
  await page.getByTitle(/An admin can say whose it is: conduct key update \d+ --person/).waitFor()
})

test('search hits say whose run they are from, which agent did it, and when it began', async (t) => {
  const { page, client, home } = await openPage(t, blank)
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

/** A spec and a feature with a run of Ada and one of Mateo each, and a switch that stands on Mine. */
async function openMine(t: TestContext) {
  const shown = await openPage(t, blank, { person: 'Ada Lund <ada@example.com>' })
  const { client, page, home } = shown
  await client.createSpec({ specId: 'S', title: 'Passkeys' })
  await client.createSpec({ specId: 'HIS', title: 'Refunds' })
  for (const [runId, author, result] of [
    ['HERS', ada, 'pass'],
    ['HIS-RUN', mateo, 'fail'],
  ] as const) {
    await client.createRun({ runId, title: `${runId} title`, author, specId: 'S', status: 'completed' })
    await client.appendTurn({ runId, files: [{ path: 'src/login.ts' }] })
    await client.linkFeatures({ runId, features: [{ name: 'login' }] })
    await client.createCheck({ runId, name: 'tests', result })
  }
  await client.createRun({ runId: 'ALONE', title: 'ALONE title', author: mateo, specId: 'HIS', status: 'completed' })
  await client.appendTurn({ runId: 'ALONE', files: [{ path: 'pay/refund.ts' }] })
  await client.linkFeatures({ runId: 'ALONE', features: [{ name: 'refunds' }] })
  await page.goto(`${home}#/runs?mine=true`)
  await page.locator('table.runs[aria-rowcount="2"]').waitFor()
  return shown
}

const lists: [of: string, hers: string, his: string, heading?: string][] = [
  ['a spec', '#/specs/default/S?view=runs', '#/specs/default/HIS?view=runs'],
  ['a feature', '#/features/default/1', '#/features/default/2', 'that touched it'],
  ['a file', '#/files/default/src/login.ts', '#/files/default/pay/refund.ts', 'that wrote it'],
  ['a folder', '#/files/default/src/', '#/files/default/pay/', 'that wrote in it'],
]

for (const [of, hers, his, heading] of lists) {
  test(`Mine narrows the runs of ${of} and their count, and says how to see those of others`, async (t) => {
    const { page, home } = await openMine(t)
    const rows = page.locator('.brief .title')
    await page.goto(home + hers)
    await page.getByRole('link', { name: 'HERS title' }).waitFor()
    assert.deepEqual(await rows.allTextContents(), ['HERS title'])
    if (heading) await page.getByRole('heading', { name: `Your runs ${heading} 1` }).waitFor()

    await page.getByRole('button', { name: 'Everyone' }).click()
    await page.getByRole('link', { name: 'HIS-RUN title' }).waitFor()
    assert.deepEqual(await rows.allTextContents(), ['HIS-RUN title', 'HERS title'])
    if (heading) await page.getByRole('heading', { name: `Runs ${heading} 2`, exact: true }).waitFor()

    await page.getByRole('button', { name: 'Mine' }).click()
    await page.getByRole('link', { name: 'HIS-RUN title' }).waitFor({ state: 'detached' })
    await page.goto(home + his)
    await page.getByText('No run is yours. Choose Everyone to see the runs of others.').waitFor()
    if (heading) await page.getByRole('heading', { name: `Your runs ${heading} 0` }).waitFor()
    await page.getByRole('button', { name: 'Everyone' }).click()
    await page.getByRole('link', { name: 'ALONE title' }).waitFor()
  })
}

test('Mine narrows the checks of a spec and the newest run on its card', async (t) => {
  const { page, home } = await openMine(t)
  await page.goto(`${home}#/specs`)
  const card = (title: string) => page.locator('.card', { hasText: title })
  await card('Passkeys').getByText('Verified', { exact: true }).waitFor()
  await card('Refunds').getByText('No run of yours').waitFor()
  await page.getByRole('button', { name: 'Everyone' }).click()
  await card('Passkeys').getByText('Failing', { exact: true }).waitFor()
  await card('Refunds').getByText('Unchecked', { exact: true }).waitFor()

  await page.goto(`${home}#/specs/default/S`)
  await page.getByRole('region', { name: 'Checks', exact: true }).getByText('Fail', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Mine' }).click()
  const checks = page.getByRole('region', { name: 'Checks of your runs' })
  await checks.getByText('Pass', { exact: true }).waitFor()
  assert.equal(await checks.getByRole('listitem').count(), 1)
  await page.goto(`${home}#/specs/default/HIS`)
  await page.getByText('No run of yours has checks. Choose Everyone').waitFor()
})

test('Mine narrows what was put off and what was never checked', async (t) => {
  const { page, client, home } = await openMine(t)
  for (const [runId, author] of Object.entries({ 'HER-FAILURE': ada, 'HIS-FAILURE': mateo })) {
    await client.createRun({ runId, title: runId, author, status: 'failed' })
    await client.createRun({ title: `${runId} unchecked`, author, status: 'completed' })
    await client.updateAttention({ runIds: [runId], resolved: true })
  }
  await page.goto(`${home}?again#/`)
  await page.getByText('Put off and resolved').click()
  const decided = page.locator('.decided')
  await decided.getByRole('link', { name: 'HER-FAILURE' }).waitFor()
  assert.equal(await decided.getByRole('listitem').count(), 1)
  await page.getByRole('link', { name: '1 completed, not checked' }).waitFor()
  await page.getByRole('button', { name: 'Everyone' }).click()
  await decided.getByRole('link', { name: 'HIS-FAILURE' }).waitFor()
  await page.getByRole('link', { name: '3 completed, not checked' }).click()
  await page.locator('table.runs[aria-rowcount="4"]').waitFor()
})

test('a page without runs of anyone offers no choice, and leaves the menu in its place', async (t) => {
  const { page, home } = await openMine(t)
  const mine = page.getByRole('button', { name: 'Mine' })
  const menuTop = () =>
    page.getByRole('navigation', { name: 'Pages' }).evaluate((menu) => menu.getBoundingClientRect().top)
  await mine.waitFor()
  const before = await menuTop()
  const without = [
    'keys',
    'projects',
    'features',
    'trends',
    'specs?view=new',
    'activity?view=events',
    'runs/default/HERS',
  ]
  for (const address of without) {
    await page.goto(`${home}#/${address}`)
    await mine.waitFor({ state: 'hidden' })
    assert.equal(await menuTop(), before, address)
  }
  for (const address of ['', 'runs', 'specs', 'activity', 'specs/default/S', 'features/default/1']) {
    await page.goto(`${home}#/${address}`)
    await mine.waitFor()
  }
})

test('a count of everyone’s runs leads to all of them, and changes no choice', async (t) => {
  const { page, home } = await openMine(t)
  await page.goto(`${home}#/features`)
  await page.getByRole('listitem').filter({ hasText: 'login' }).getByRole('link', { name: '2 runs' }).click()
  await page.locator('table.runs[aria-rowcount="3"]').waitFor()
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Runs', exact: true }).click()
  await page.locator('table.runs[aria-rowcount="2"]').waitFor()
  await page.goto(`${home}#/runs?status=failed`)
  await page.getByText('No run of yours matches these filters. Choose Everyone').waitFor()
})
