import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page, Request } from 'playwright-core'
import { blank, openPage } from '../support/browser.ts'
import { hold } from '../support/held.ts'

const reads = (path: RegExp) => (request: Request) =>
  request.method() === 'GET' && request.headers().accept !== 'text/event-stream' && path.test(request.url())

/** Listens for an event of that type that is reported to the tabs. The returned function waits for it. */
async function heard(page: Page, type: string) {
  const report = await page.evaluateHandle((type) => {
    const channel = new BroadcastChannel(`conduct ${new URL('.', location.href).href}`)
    const done = new Promise<void>((resolve) => {
      channel.onmessage = ({ data }) => data.event?.type === type && resolve()
    })
    return { done }
  }, type)
  return () => report.evaluate(({ done }) => done)
}

test('after a logout, the list of runs keeps none that the next session may not see', async (t) => {
  const { page, client } = await openPage(t, '#/runs')
  await client.createProject({ slug: 'shop' })
  await client.createRun({ title: 'Secret of default', status: 'completed' })
  const { secret } = await client.createKey({ name: 'seller', permissions: ['read'], project: 'shop' })
  await page.getByRole('button', { name: '1 new run' }).or(page.getByText('Secret of default')).first().waitFor()
  await page.reload()
  await page.getByText('Secret of default').waitFor()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Key').fill(secret)
  const held = await hold(page, reads(/\/v1\/runs\?/))
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor()
  await held.asked
  assert.equal(await page.getByText('Secret of default').count(), 0)
  await held.release()
  await page.getByText('No runs yet').waitFor()
})

test('the next session is shown with its own name and permissions only', async (t) => {
  const { page, client } = await openPage(t, '#/runs')
  const { secret } = await client.createKey({ name: 'reader', permissions: ['read'] })
  await page.getByText('No runs yet').waitFor()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Key').fill(secret)
  // The page may still ask who it is, and be refused, if it hears of its end before it has left.
  let asked = Number.NEGATIVE_INFINITY
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/auth/session')) asked = 0
  })
  const held = await hold(page, (request) => request.url().endsWith('/auth/me') && ++asked > 1)
  await page.getByRole('button', { name: 'Log in' }).click()
  await held.asked
  assert.equal(await page.getByText('ada', { exact: true }).count(), 0)
  await held.release()
  await page.getByText(/^reader\b/).waitFor()
})

test('a list of runs that was left while texts were erased does not come back with them', async (t) => {
  const { page, client, live } = await openPage(t)
  await live
  await client.createRun({ title: 'The password is hunter2', status: 'completed' })
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await page.locator('tbody').getByText('hunter2').waitFor()
  const held = await hold(page, reads(/\/v1\/runs\?/))
  const erased = await heard(page, 'erasure.created')
  await client.erase({ text: 'hunter2' })
  await erased()
  await page.getByRole('link', { name: 'Keys' }).click()
  await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor()
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor()
  assert.equal(await page.getByText('hunter2').count(), 0)
  await held.release()
})

test('a change that comes before the log is read does not stand for the whole log', async (t) => {
  const { page, client, live } = await openPage(t)
  await live
  await client.createFeature({ name: 'an old one' })
  await page.getByText('Nothing is in progress').waitFor()
  await page.route('**/v1/events?*order=desc*', (route) =>
    route.fulfill({ status: 500, json: { error: 'Sorry', code: 'INTERNAL_ERROR' } }),
  )
  await page.getByRole('link', { name: 'Activity' }).click()
  await page.getByRole('link', { name: 'All events' }).click()
  await page.getByRole('alert').getByText('Sorry').waitFor()
  await client.createFeature({ name: 'a new one' })
  await client.createRun({ status: 'failed' })
  // The frame has heard of both.
  await page.locator('.side .count').waitFor()
  assert.equal(await page.getByRole('alert').getByText('Sorry').count(), 1)
  await page.unroute('**/v1/events?*order=desc*')
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.locator('.activity').getByText('an old one').waitFor()
  await page.locator('.activity').getByText('a new one').waitFor()
})

test('texts of turns that were on their way as they were erased do not stay', async (t) => {
  const { page, client, home, live } = await openPage(t)
  await live
  const { run } = await client.createRun({ title: 'Session', status: 'in_progress' })
  for (let n = 1; n <= 3; n++) await client.appendTurn({ runId: run.runId, prompt: `hunter2 ${n}` })
  const held = await hold(page, reads(/\/turns\?.*limit=100/), 1)
  await page.goto(`${home}#/runs/default/RUN-001`)
  await held.asked
  const erased = await heard(page, 'erasure.created')
  await client.erase({ text: 'hunter2' })
  await erased()
  await held.release()
  await page.locator('#turn-3').waitFor()
  await page.getByText('texts erased').first().waitFor()
  assert.equal(await page.getByText('hunter2').count(), 0)
  assert.equal(await page.locator('.turn').count(), 3)
})

test('an append during the first read of a run is not lost', async (t) => {
  const { page, client, home, live } = await openPage(t)
  await live
  const { run } = await client.createRun({ title: 'Session', status: 'in_progress' })
  const held = await hold(page, reads(/\/v1\/runs\/RUN-001$/), 1)
  await page.getByText('Session').waitFor()
  await page.goto(`${home}#/runs/default/RUN-001`)
  await held.asked
  const appended = await heard(page, 'run.updated')
  await client.appendToRun({ runId: run.runId, text: 'one\n' })
  await appended()
  await held.release()
  await page.getByRole('button', { name: 'Edit labels' }).click()
  await page.getByLabel('One on each line').fill('team: web')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
})

test('the palette says that it searches, and does not open what earlier words found', async (t) => {
  const { page, client } = await openPage(t)
  await client.createRun({ title: 'Mend the checkout', status: 'completed' })
  await page.getByRole('heading', { name: 'Now' }).waitFor()
  await page.keyboard.press('Control+k')
  const held = await hold(page, reads(/\/v1\/search/), 1)
  await page.getByRole('combobox').fill('mend')
  await held.asked
  assert.equal(await page.getByText('Nothing matches these words.').count(), 0)
  await held.release()
  await page.getByRole('option', { name: /^Mend the checkout/ }).waitFor()
  await page.getByRole('combobox').fill('zzz')
  await page.keyboard.press('Enter')
  await page.getByText('Nothing matches these words.').waitFor()
})

test('a list without matches does not say that there is nothing at all while it reads again', async (t) => {
  const { page, client, home } = await openPage(t, blank)
  await client.createFeature({ name: 'checkout' })
  await client.createSpec({ title: 'Checkout' })
  await client.createProject({ slug: 'empty' })
  for (const [noun, api] of [
    ['features', /\/v1\/features/],
    ['specs', /\/v1\/specs/],
  ] as const) {
    await page.goto(`${home}#/${noun}?project=empty`)
    await page.getByText(`No ${noun} yet`).waitFor()
    await page.goto(`${home}#/${noun}?q=zzz`)
    await page.getByText(`No ${noun} match these filters.`).waitFor()
    const held = await hold(page, reads(api))
    await page.getByRole('searchbox').fill('')
    await held.asked
    assert.equal(await page.getByText(`No ${noun} yet`).count(), 0)
    await held.release()
    await page.getByText('checkout').or(page.getByText('Checkout')).first().waitFor()
  }
})

test('a suggestion that other letters did not find is not said to be missing', async (t) => {
  const { page, client } = await openPage(t)
  await client.createRun({ title: 'One', agent: 'codex' })
  await page.getByRole('link', { name: 'Runs', exact: true }).click()
  await page.getByText('Filter', { exact: true }).click()
  await page.getByRole('button', { name: 'Agent', exact: true }).click()
  await page.getByRole('textbox', { name: 'Agent' }).fill('zzz')
  await page.getByText('No suggestion contains this.').waitFor()
  const held = await hold(page, reads(/\/suggest/))
  await page.getByRole('textbox', { name: 'Agent' }).fill('co')
  await held.asked
  assert.equal(await page.getByText('No suggestion').count(), 0)
  await held.release()
  await page.getByRole('button', { name: 'codex', exact: true }).waitFor()
})

test('a list keeps its rows if the next page cannot be read', async (t) => {
  const { page, client, live } = await openPage(t)
  await live
  for (let n = 0; n < 101; n++) await client.createFeature({ name: `feature ${n}` })
  await page.getByRole('link', { name: 'Features' }).click()
  await page.getByText('feature 100').waitFor()
  await page.route('**/v1/features?*cursor*', (route) =>
    route.fulfill({ status: 500, json: { error: 'Sorry', code: 'INTERNAL_ERROR' } }),
  )
  await page.getByRole('button', { name: 'Show more' }).click()
  await page.getByRole('alert').getByText('Sorry').waitFor()
  assert.equal(await page.locator('.features li').count(), 100)
  await page.unroute('**/v1/features?*cursor*')
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('feature 0', { exact: true }).waitFor()
})

test('a log that is replaced while another tab takes over the stream is read from its start', async (t) => {
  const { page, client, openTab, live } = await openPage(t)
  await live
  await page.getByText('Nothing is in progress').waitFor()
  await client.createRun({ title: 'Log', status: 'in_progress', content: 'Once there was a long text.\n' })
  const other = await openTab('#/runs/default/RUN-001')
  await other.locator('.prose').getByText('Once there was').waitFor()
  await client.appendToRun({ runId: 'RUN-001', text: 'It grew.\n' })
  await other.locator('.prose').getByText('It grew').waitFor()
  const held = Promise.withResolvers<void>()
  const asked = other.waitForRequest((request) => request.headers().accept === 'text/event-stream')
  await other.route('**/v1/events*', async (route) => {
    await held.promise
    await route.continue()
  })
  await page.close()
  await asked
  await client.updateRun({ runId: 'RUN-001', content: 'Something else altogether, which is longer.\n' })
  held.resolve()
  await other.locator('.prose').getByText('Something else altogether, which is longer.').waitFor({ timeout: 15_000 })
  assert.equal(await other.getByText('Once there was').count(), 0)
})

test('what belongs to other filters is marked until those that are chosen are read', async (t) => {
  const { page, client, home } = await openPage(t)
  await client.createRun({ title: 'Mend it', status: 'in_progress' })
  await client.createSpec({ specId: 'S-1', content: 'Before' })
  await client.updateSpec({ specId: 'S-1', content: 'After' })
  await client.createFeature({ name: 'checkout' })
  for (const [first, then, api, sign] of [
    ['#/', '#/?project=shop', /\/runs\?/, '[aria-labelledby=live]'],
    ['#/runs', '#/runs?status=failed', /\/runs\?.*status=failed&/, 'table.runs'],
    ['#/runs?q=mend', '#/runs?q=mend&status=failed', /\/search/, '.results'],
    ['#/specs', '#/specs?q=none', /\/specs/, '.board'],
    [
      '#/specs/default/S-1?view=versions',
      '#/specs/default/S-1?view=versions&from=2',
      /\/versions\/2/,
      ':has(> .difference)',
    ],
    ['#/features', '#/features?q=none', /\/features/, '.features'],
    ['#/trends', '#/trends?days=7', /\/stats/, ':has(> .figures)'],
    ['#/activity?view=events', '#/activity?type=run.created', /\/events\?/, '.activity'],
  ] as const) {
    await page.goto(home + first)
    await page.locator(`${sign}:not([aria-busy=true])`).waitFor()
    const held = await hold(page, reads(api))
    await page.goto(home + then)
    await page.locator(`${sign}[aria-busy=true]`).waitFor()
    await held.release()
    await page.waitForFunction(() => document.querySelector('main [aria-busy=true]') === null)
  }
})
