import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { openPage } from '../support/browser.ts'

interface Shift extends PerformanceEntry {
  value: number
}

/** By how much, in sum, what was drawn on the page has moved since it was opened (web.dev/cls: up to 0.1 is good). */
const movedOn = (page: Page) =>
  page.evaluate(async () => {
    const shifts: Shift[] = []
    new PerformanceObserver((list) => shifts.push(...(list.getEntries() as Shift[]))).observe({
      type: 'layout-shift',
      buffered: true,
    })
    // They are told after the next drawing.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100)))
    return shifts.reduce((sum, { value }) => sum + value, 0)
  })

/** Every page, and what is drawn on it last. */
const pages: [address: string, sign: string][] = [
  ['#/', '[aria-labelledby=ended] .brief'],
  ['#/trends', '.bars canvas'],
  ['#/specs', '.card'],
  ['#/specs/default/A-1', '.left li'],
  ['#/specs/default/A-1?view=runs', '.brief'],
  ['#/features', '.features li'],
  ['#/features/default/1', '.brief'],
  ['#/activity', '.activity li'],
  ['#/keys', '.keyed li'],
  ['#/projects', '.keyed li'],
]

test('nothing moves while a page is loaded', async (t) => {
  const { page, client, home } = await openPage(t)
  for (let n = 1; n <= 9; n++) {
    const status = (['failed', 'completed', 'in_progress'] as const)[n % 3]
    await client.createSpec({ specId: `A-${n}`, content: `# Spec ${n}\n\n- [ ] one\n- [x] two` })
    await client.createRun({ runId: `R-${n}`, title: `Run ${n}`, specId: 'A-1', status })
    await client.linkFeatures({ runId: `R-${n}`, features: [{ name: 'auth' }] })
  }
  const moved: Record<string, number> = {}
  for (const [n, [address, sign]] of pages.entries()) {
    await page.goto(`${home}?${n}${address}`)
    await page.locator(sign).first().waitFor()
    const sum = await movedOn(page)

    if (sum > 0.05) moved[address] = sum
  }
  assert.deepEqual(moved, {})
})
