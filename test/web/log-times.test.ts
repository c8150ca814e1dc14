import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Growing } from '../../src/web/data/runs/growing.ts'
import { LogLines } from '../../src/web/log/lines.ts'
import { Places } from '../../src/web/log/places.ts'
import { blank, openPage } from '../support/browser.ts'

/** Where each line of a text begins, read after each piece. */
function placesOf(pieces: [text: string, end?: number][]): (number | undefined)[] {
  const text = new Growing()
  const [places, lines] = [new Places(), new LogLines()]
  for (const [piece, end] of pieces) {
    text.append(piece, end)
    places.readOn(text)
    lines.append(piece)
  }
  return Array.from({ length: lines.count }, (_, index) => places.of(index))
}

test('lines begin where their first byte is, whatever pieces they come in', () => {
  assert.deepEqual(placesOf([['a\nbc\n', 5]]), [0, 2])
  assert.deepEqual(
    placesOf([
      ['a\nb', 3],
      ['c\n', 5],
      ['d', 6],
    ]),
    [0, 2, 5],
  )
  assert.deepEqual(
    placesOf([
      ['é\n', 3],
      ['x', 4],
    ]),
    [0, 3],
  )
  assert.deepEqual(
    placesOf([
      ['\n\n', 2],
      ['a\n', 4],
    ]),
    [0, 1, 2],
  )
  assert.deepEqual(placesOf([['a\n'], ['b\n', 104]]), [undefined, 102])
})

test('lines after a gap begin where they would without it', () => {
  const text = new Growing()
  text.append('a\nb\n', 4)
  text.appendGap('[90 bytes dropped here]\n', { bytes: 90, lines: 9 })
  text.append('c\n', 96)
  const places = new Places()
  places.readOn(text)
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => places.of(index)),
    [0, 2, undefined, 94],
  )
})

test('a log shows when the ledger received its lines, if asked', async (t) => {
  const { page, client, home, advance } = await openPage(t, blank)
  const contentType = 'text/x-terminal'
  const { run } = await client.createRun({ runId: 'R', status: 'in_progress', contentType, content: 'first\n' })
  advance(60_000)
  const second = (await client.appendToRun({ runId: 'R', text: 'second, be' })).run
  advance(60_000)
  const third = (await client.appendToRun({ runId: 'R', text: 'gun\nthird\n' })).run
  await page.goto(`${home}#/runs/default/R`)
  await page.getByText('third').waitFor()
  const times = page.locator('.screen time')
  assert.equal(await times.count(), 0)
  await page.getByRole('button', { name: 'Times' }).click()
  await times.nth(2).waitFor()
  const shown = () => times.evaluateAll((all) => all.map((one) => one.getAttribute('datetime')))
  assert.deepEqual(await shown(), [run.createdAt, second.updatedAt, third.updatedAt])
  advance(60_000)
  const fourth = (await client.appendToRun({ runId: 'R', text: 'fourth\n' })).run
  await times.nth(3).waitFor()
  assert.equal((await shown()).at(-1), fourth.updatedAt)
  await page.reload()
  await times.nth(3).waitFor()
  await page.getByRole('button', { name: 'Times' }).click()
  await times.first().waitFor({ state: 'detached' })
})

test('a log shows the times of its later lines once the log of events has dropped the first', async (t) => {
  const { page, client, home, advance } = await openPage(t, blank)
  await client.createRun({ runId: 'R', status: 'in_progress', contentType: 'text/x-terminal', content: 'first\n' })
  let firstSeq = (await client.listEvents({ order: 'desc', limit: 1 })).events[0]?.seq ?? 0
  const dropped = { error: 'The events were dropped.', code: 'EVENTS_DROPPED' }
  await page.route('**/v1/events?*', (route) => {
    const after = new URL(route.request().url()).searchParams.get('after')
    const isDropped = after !== null && Number(after) < firstSeq - 1
    return isDropped ? route.fulfill({ status: 410, json: { ...dropped, firstSeq } }) : route.fallback()
  })
  await page.goto(`${home}#/runs/default/R`)
  await page.getByText('first').waitFor()
  await page.getByRole('button', { name: 'Times' }).click()
  const times = page.locator('.screen time')
  await times.first().waitFor()
  firstSeq = Number.MAX_SAFE_INTEGER
  advance(60_000)
  const { run } = await client.appendToRun({ runId: 'R', text: 'second\n' })
  await times.and(page.locator(`[datetime="${run.updatedAt}"]`)).waitFor({ timeout: 20_000 })
})
