import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { launchBrowser, logInContext } from '../test/support/unpacked.ts'
import { median, type Row } from './report.ts'
import { seedMany } from './seed.ts'
import { adminKey, startConduct, type Workplace } from './servers.ts'

const sizes = [1000, 100_000]
const bar = 1.3
const warmUps = 2
const rounds = 9

/** Does something on the page, and waits for the result. */
type Step = (page: Page, home: string) => Promise<void>

const firstRow = (page: Page) => page.locator('table.runs .title').first().waitFor()

/** Those that open a page begin with an empty one; the others continue where the one before them ended. */
const steps: Record<string, Step> = {
  'A run, opened': async (page, home) => {
    await page.goto(`${home}#/runs/default/RUN-500`)
    await page.getByText('the tests pass').first().waitFor()
  },
  'Now, opened': async (page, home) => {
    await page.goto(`${home}#/`)
    await page.locator('.lane .title').first().waitFor()
  },
  'Runs, opened': async (page, home) => {
    await page.goto(`${home}#/runs`)
    await firstRow(page)
  },
  'Runs, a filter changed': async (page) => {
    await page.evaluate(() => {
      location.hash = '#/runs?status=failed'
    })
    // Until no other row is left.
    await page.waitForFunction(() => {
      const found = [...document.querySelectorAll('table.runs tbody tr')].filter((row) => row.querySelector('.title'))
      return found.length > 0 && found.every((row) => row.textContent?.includes('Failed'))
    })
  },
}

/** How long the dashboard of a large ledger takes to appear in a browser, compared with that of a small one. */
export async function measurePage(place: Workplace): Promise<Row[]> {
  const browser = await launchBrowser()
  try {
    const pages = await Promise.all(sizes.map(async (runs) => openLedger(place, runs, browser)))
    const taken = Object.keys(steps).map(() => sizes.map((): number[] => []))
    for (let round = 0; round < warmUps + rounds; round++) {
      for (const [size, { page, home }] of pages.entries()) {
        for (const [index, [title, step]] of Object.entries(steps).entries()) {
          if (title.endsWith(', opened')) await page.goto('about:blank')
          const started = performance.now()
          await step(page, home)
          if (round >= warmUps) taken[index]?.[size]?.push(performance.now() - started)
        }
      }
    }
    return Object.keys(steps).map((title, index) => rowOf(title, taken[index] as number[][]))
  } finally {
    await browser.close()
  }
}

async function openLedger(place: Workplace, runs: number, browser: Awaited<ReturnType<typeof launchBrowser>>) {
  const url = `sqlite:${join(place.folder(), 'conduct.db')}`
  await seedMany(url, runs)
  const server = await place.server(startConduct(url))
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const home = `${server.url}/`
  await logInContext(context, home, adminKey)
  return { page: await context.newPage(), home }
}

function rowOf(title: string, [few = [], many = []]: number[][]): Row {
  const ratio = median(many) / median(few)
  return {
    title,
    measured: `${Math.round(median(few))} → ${Math.round(median(many))} ms: ${ratio.toFixed(2)} ×`,
    bar: `≤ ${bar} ×`,
    pass: ratio <= bar,
  }
}
