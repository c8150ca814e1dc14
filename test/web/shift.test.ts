import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import type { Client } from '../../src/client/client.ts'
import { openPage } from '../support/browser.ts'

interface Shift extends PerformanceEntry {
  value: number
}

/** The cumulative layout shift of the page since it was opened (web.dev/cls: up to 0.1 is good). */
const movedOn = (page: Page) =>
  page.evaluate(async () => {
    const shifts: Shift[] = []
    new PerformanceObserver((list) => shifts.push(...(list.getEntries() as Shift[]))).observe({
      type: 'layout-shift',
      buffered: true,
    })
    // The browser reports shifts after the next frame.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100)))
    return shifts.reduce((sum, { value }) => sum + value, 0)
  })

/** Every page, and the element that it draws last. */
const pages: [address: string, sign: string][] = [
  ['#/', '[aria-labelledby=ended] .brief'],
  ['#/runs', '.runs tbody a'],
  ['#/runs?q=run', '.results li'],
  ['#/runs/default/R-1', '.turn'],
  ['#/runs/default/R-2', '.screen .lines'],
  ['#/runs/default/R-1?view=timeline', '.timeline li'],
  ['#/compare?run=default/R-1&run=default/R-2', '.compare'],
  ['#/trends', '.bars canvas'],
  ['#/specs', '.card'],
  ['#/specs/default/A-1', '.still-to-do li'],
  ['#/specs/default/A-1?view=runs', '.brief'],
  ['#/specs/default/A-1?view=versions', '.versions li'],
  ['#/features', '.features li'],
  ['#/features/default/1', '.brief'],
  ['#/activity?view=events', '.activity li'],
  ['#/keys', '.keyed li'],
  ['#/webhooks', '.keyed li'],
  ['#/projects', '.keyed li'],
  ['#/projects/default', '.deeds li'],
]

async function furnish(client: Client): Promise<void> {
  for (let n = 1; n <= 9; n++) {
    const status = (['failed', 'completed', 'in_progress'] as const)[n % 3]
    await client.createSpec({ specId: `A-${n}`, content: `# Spec ${n}\n\n- [ ] one\n- [x] two` })
    await client.createRun({ runId: `R-${n}`, title: `Run ${n}`, specId: 'A-1', status })
    await client.linkFeatures({ runId: `R-${n}`, features: [{ name: 'auth' }] })
  }
  const files = Array.from({ length: 7 }, (_, n) => ({ path: `src/${n}.ts`, insertions: n, deletions: 1 }))
  await client.appendTurn({ runId: 'R-1', prompt: 'Do it', answer: 'Done.\n\n- one\n- two', files })
  await client.updateRun({ runId: 'R-2', content: 'one\ntwo\n', contentType: 'text/x-terminal' })
  for (const name of ['lint', 'tests']) await client.createCheck({ runId: 'R-1', name, result: 'pass' })
  await client.updateSpec({ specId: 'A-1', content: '# Spec 1\n\nNew words.\n\n- [ ] one\n- [ ] two\n- [ ] three' })
  await client.createWebhook({ url: 'https://hooks.example.com/conduct' })
}

/** Holds back everything that a page reads, except the user, until the returned function is called. */
async function holdReads(page: Page): Promise<() => void> {
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  await page.route('**/v1/**', async (route) => {
    if (!/\/v1\/auth\/me$/.test(new URL(route.request().url()).pathname)) await released
    // The browser may have left the page.
    await route.continue().catch(() => {})
  })
  return release
}

test('a page shows that it is loading, and nothing moves once it has loaded', async (t) => {
  const { page, client, home } = await openPage(t)
  await furnish(client)
  const moved: Record<string, number> = {}
  for (const [n, [address, sign]] of pages.entries()) {
    await page.unrouteAll({ behavior: 'ignoreErrors' })
    const release = await holdReads(page)
    await page.goto(`${home}?${n}${address}`)
    await page.locator('main .skeleton').first().waitFor()
    release()
    await page.locator(sign).first().waitFor()
    const sum = await movedOn(page)

    if (sum > 0.05) moved[address] = sum
  }
  assert.deepEqual(moved, {})
})
