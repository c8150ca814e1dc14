import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Counted, sumsOf, tellingOf } from '../../src/web/data/lists/telling.ts'
import { blank, openPage, type Shown } from '../support/browser.ts'

const [ada, mateo] = ['Ada Lund <ada@example.com>', 'Mateo Ruiz <mateo@example.com>']
const hour = 3_600_000

type Fields = Parameters<Shown['client']['createRun']>[0]

async function addEnded({ client }: Shown, hoursAgo: number, fields: Fields) {
  const at = new Date(Date.now() - hoursAgo * hour).toISOString()
  return client.createRun({ status: 'completed', ...fields, createdAt: at, startedAt: at, endedAt: at })
}

/** Makes the browser believe that its last visit ended then. */
const visitedAt = (hoursAgo: number, home: string) => {
  const visit = JSON.stringify({ seen: Date.now() - hoursAgo * hour })
  return [`conduct.looked ${home}`, visit] as const
}

test('Now begins with what ended since the last visit: how many, what it cost, whose, and what came of it', async (t) => {
  const shown = await openPage(t, blank, { person: ada })
  const { page, home, client } = shown
  await addEnded(shown, 30, { title: 'Before', author: ada })
  const { run } = await addEnded(shown, 2, { title: 'Add passkeys', author: ada, usage: { costUsd: 2.5 } })
  await client.appendTurn({ runId: run.runId, prompt: 'Add passkeys', answer: 'Begun.' })
  await client.appendTurn({ runId: run.runId, prompt: 'Now the button', answer: '**Done**: it has a button.\n\nMore.' })
  const failure = { code: 'TESTS_FAILED', message: '2 of 9 tests fail.\nMore.' }
  await addEnded(shown, 1, { title: 'Sync calendars', author: mateo, status: 'failed', failure })
  await page.evaluate(([name, value]) => localStorage.setItem(name, value), visitedAt(3, home))
  await page.goto(`${home}#/`)

  const since = page.getByRole('region', { name: 'Since you were here' })
  await since.getByText('2 runs ended').waitFor()
  for (const words of [
    '1 failed',
    '$2.50 cost',
    'reported or estimated for 1 of 2 runs',
    'Ada Lund 1',
    'Mateo Ruiz 1, 1 failed',
  ]) {
    await since.getByText(words, { exact: true }).first().waitFor()
  }
  const rows = await since.getByRole('listitem').allTextContents()
  assert.match(rows[0] ?? '', /Sync calendars.*TESTS_FAILED: 2 of 9 tests fail\..*Mateo Ruiz/)
  assert.match(rows[1] ?? '', /Add passkeys.*Now the button.*Done: it has a button\..*Ada Lund/)

  await page.getByRole('button', { name: 'Mine' }).click()
  await since.getByText('1 run ended').waitFor()
  await since.getByRole('link', { name: /^Everything since/ }).click()
  await page.locator('table.runs[aria-rowcount="2"] .title', { hasText: 'Add passkeys' }).waitFor()
  await page.getByRole('button', { name: /^Ended from: .*, 20\d\d/ }).waitFor()
})

test('no number of a run is cut for the name of its author', async (t) => {
  const shown = await openPage(t, blank)
  const author = `${'Maximiliana Aurelia von und zu Hohenstein '.repeat(3)}<m@example.com>`
  await addEnded(shown, 1, { title: 'Add passkeys', agent: 'claude-code', author, usage: { costUsd: 99_999.99 } })
  for (const width of [1280, 1440, 1920]) {
    await shown.page.setViewportSize({ width, height: 800 })
    await shown.page.goto(`${shown.home}?${width}#/`)
    const cost = shown.page.locator('.recap').getByText('$99,999.99', { exact: true })
    await cost.waitFor()
    assert.equal(await cost.evaluate((it) => it.scrollWidth - it.clientWidth), 0, `${width} px`)
  }
})

test('two people of one name are told apart by their addresses', async (t) => {
  const shown = await openPage(t, blank)
  for (const author of [ada, 'Ada Lund <lund@example.org>', mateo]) await addEnded(shown, 1, { author })
  await shown.page.goto(`${shown.home}#/`)
  for (const name of [ada, 'Ada Lund <lund@example.org>', 'Mateo Ruiz']) {
    await shown.page.locator('.share').getByRole('link', { name, exact: true }).waitFor()
  }
  const rows = shown.page.locator('.telling').getByRole('listitem')
  assert.equal(await rows.count(), 3)
  await shown.page.setViewportSize({ width: 390, height: 800 })
  assert.equal(await rows.count(), 2, 'on a phone, what needs somebody is closer')
})

test('a visit ends once the page was out of sight for half an hour', async (t) => {
  const shown = await openPage(t, blank)
  const { page, home } = shown
  await addEnded(shown, 0.1, { title: 'Lately' })
  await page.goto(`${home}?first#/`)
  await page.getByRole('heading', { name: 'The last 24 hours' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'The last 24 hours' }).waitFor()
  // Not "23h ago" or "1d ago", by the second in which it is read.
  await page.getByRole('link', { name: 'Everything in the last 24 hours', exact: true }).waitFor()
  await page.goto(`${home}?again#/keys`)
  await page.evaluate(([name, value]) => localStorage.setItem(name, value), visitedAt(0.4, home))
  await page.goto(`${home}?second#/`)
  await page.getByRole('heading', { name: 'The last 24 hours' }).waitFor()
  await page.goto(`${home}?away#/keys`)
  await page.evaluate(([name, value]) => localStorage.setItem(name, value), visitedAt(0.6, home))
  await page.goto(`${home}?third#/`)
  await page.getByRole('heading', { name: 'Since you were here' }).waitFor()
})

test('of twenty agents, those that wait stand first and larger, and most others are folded', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (let n = 1; n <= 20; n++) {
    const { run } = await client.createRun({ title: `Work ${n}`, agent: 'codex', status: 'in_progress' })
    const state = n % 10 === 0 ? 'waiting' : n === 19 ? 'idle' : 'working'
    await client.heartbeat({ runId: run.runId, activity: { state, tool: 'Bash', target: `npm run step-${n}` } })
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.goto(`${home}#/`)
  const lanes = page.locator('.lane')
  await lanes.nth(9).waitFor()
  assert.equal(await lanes.count(), 10)
  assert.equal(await page.locator('.lane.large').count(), 2)
  await lanes.first().getByText('npm run step-20').waitFor()
  const heights = await lanes.evaluateAll((all) => all.map((lane) => lane.getBoundingClientRect().height))
  assert.ok(
    heights.slice(2).every((height) => height < 40 && height < (heights[0] ?? 0)),
    String(heights),
  )
  await page.getByRole('button', { name: '9 more at work, 1 idle' }).click()
  assert.equal(await lanes.count(), 20)
})

test('an agent whose last answer asks stands with those that wait, until a prompt answers it', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  for (let n = 1; n <= 14; n++) await client.createRun({ title: `Work ${n}`, agent: 'codex', status: 'in_progress' })
  await client.createRun({ runId: 'ASKS', title: 'Hold a boat', agent: 'codex', status: 'in_progress' })
  await client.appendTurn({ runId: 'ASKS', prompt: 'Hold it', answer: 'It is held.\n\nShall it end at night?' })
  await page.goto(`${home}#/`)
  const first = page.locator('.lane').first()
  await first
    .and(page.locator('.large', { hasText: 'Shall it end at night?' }))
    .getByText(/^waiting/)
    .waitFor()
  await page.getByRole('heading', { name: 'In progress 15 1 waiting' }).waitFor()
  assert.match(await page.title(), /^\(1 waiting\)/)
  await client.appendTurn({ runId: 'ASKS', prompt: 'Yes', open: true })
  await page.getByRole('heading', { name: 'In progress 15', exact: true }).waitFor()
  assert.doesNotMatch(await page.title(), /waiting/)
})

/** Two failures and eight good runs of today. */
async function addWork(shown: Shown) {
  for (let n = 1; n <= 10; n++) {
    const status = n <= 2 ? 'failed' : 'completed'
    await addEnded(shown, n, { title: `Ended ${n}`, author: n % 2 ? ada : mateo, status, git: { branch: `b-${n}` } })
  }
}

test('beside twenty agents, what ended and what needs attention is in sight, and stays in its place', async (t) => {
  const shown = await openPage(t, blank, { viewport: { width: 1440, height: 900 }, person: ada })
  const { page, client, home } = shown
  await addWork(shown)
  const beat = (n: number, state: 'working' | 'waiting' | 'idle', target: string) =>
    client.heartbeat({ runId: `LIVE-${n}`, activity: { state, tool: 'Bash', target } })
  for (let n = 1; n <= 20; n++) {
    const title = `Work ${n} with a title that is longer than there is room for it`
    await client.createRun({ runId: `LIVE-${n}`, title, author: mateo, agent: 'codex', status: 'in_progress' })
    await beat(n, n <= 12 ? 'working' : n <= 17 ? 'waiting' : 'idle', `npm run step-${n}`)
  }
  await page.goto(`${home}#/`)
  const placeOf = async (name: RegExp) => {
    const { y, height } = (await page.getByRole('region', { name }).getByRole('listitem').first().boundingBox()) ?? {}
    return { y: y ?? 0, end: (y ?? 0) + Math.min(height ?? 0, 60) }
  }
  const names = [/^The last 24 hours/, /^In progress/, /^Needs attention/, /^Recently finished/]
  await page.locator('.lane.large').nth(4).waitFor()
  await page.getByRole('region', { name: /^Recently finished/ }).waitFor()
  const before = await Promise.all(names.map(placeOf))
  for (const [at, { end }] of before.entries()) assert.ok(end <= 900, `${names[at]} ends at ${end}`)

  const lanes = page.locator('.lane')
  await client.appendTurn({ runId: 'LIVE-12', prompt: 'Go on', answer: 'A long answer. '.repeat(20) })
  await beat(12, 'working', 'npm run another-step '.repeat(20))
  await lanes.getByText('A long answer.').waitFor({ state: 'attached' })
  await lanes.getByText('another-step').waitFor()
  assert.deepEqual(await Promise.all(names.map(placeOf)), before)
  await beat(12, 'waiting', 'git push')
  await page.locator('.lane.large').nth(5).waitFor()
  const places = await Promise.all(names.map(placeOf))
  for (const [at, { y }] of places.entries()) assert.ok(Math.abs(y - (before[at]?.y ?? 0)) < 1, `${names[at]}: ${y}`)
})

const runs = (many: Partial<Counted>[]) =>
  many.map((one, at) => ({
    ...{ status: 'completed' as const, verdict: 'unchecked' as const, usage: null, changes: null, author: null },
    ...{ runId: `R-${at}`, endedAt: null, createdAt: '2026-01-31T00:00:00.000Z', ...one },
  }))

test('the most telling runs are the newest two that went wrong, and those with the most work', () => {
  const changed = (insertions: number) => ({ changes: { files: 1, insertions, deletions: 0 } })
  const wrong = { status: 'failed' as const }
  const some = runs([wrong, changed(1), wrong, wrong, changed(90), {}, { usage: { costUsd: 1 } }])
  const telling = tellingOf(some).map(({ runId }) => runId)
  assert.deepEqual(telling.toSorted(), ['R-0', 'R-1', 'R-2', 'R-4', 'R-6'])
  const failed = runs([{}, wrong, wrong, wrong, wrong, changed(1), {}])
  assert.deepEqual(
    tellingOf(failed)
      .map(({ runId }) => runId)
      .toSorted(),
    ['R-1', 'R-2', 'R-3', 'R-4', 'R-5'],
  )
})

test('an unknown cost is not zero', () => {
  assert.equal(sumsOf(runs([{}])).costUsd, undefined)
  assert.equal(sumsOf(runs([{}, { usage: { costUsd: 0 } }])).costUsd, 0)
})

test('a person is one share, however their name is spelled', () => {
  const authors = ['Ada <ada@example.com>', 'A. Lovelace <Ada@Example.com>', null, 'Ada <ada@example.com>']
  const { shares } = sumsOf(runs(authors.map((author) => ({ author }))))
  assert.deepEqual(shares, [
    { author: 'Ada <ada@example.com>', runs: 3, failed: 0 },
    { author: null, runs: 1, failed: 0 },
  ])
})

test('the share of a person leads to their runs under each spelling', async (t) => {
  const shown = await openPage(t, blank)
  const { page, home } = shown
  await addEnded(shown, 1, { title: 'First', author: 'Ada <ada@example.com>' })
  await addEnded(shown, 1, { title: 'Second', author: 'A. Lovelace <ada@example.com>' })
  await page.goto(`${home}#/`)
  await page.locator('.share', { hasText: '2' }).getByRole('link').click()
  for (const name of ['First', 'Second']) await page.locator('table.runs').getByRole('link', { name }).waitFor()
})

test('of more runs than it reads, the summary says so with each count', async (t) => {
  const shown = await openPage(t, blank)
  const { page, home } = shown
  const { run: failed } = await addEnded(shown, 1, { author: ada, status: 'failed' })
  const failing = { ...failed, status: 'completed', verdict: 'failing' }
  await page.route('**/v1/runs?*endedAfter=*', (route) => {
    const runs = Array.from({ length: 100 }, (_, n) => (n % 2 ? failed : failing))
    return route.fulfill({ json: { runs, meta: { total: null, hasMore: true, nextCursor: 'more' } } })
  })
  await page.goto(`${home}#/`)
  const sums = page.locator('.since-visit .sums')
  await sums.getByText('500+ runs ended').waitFor()
  assert.match((await sums.textContent()) ?? '', /250\+ failed250\+ failing.*Ada Lund 500\+, 250\+ failed$/)
})
