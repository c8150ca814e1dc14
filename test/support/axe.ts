import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

interface Violation {
  id: string
  nodes: { html: string; failureSummary?: string }[]
}

/** What axe reports on the page for WCAG 2.2 AA and its best practices, or for colours only. */
export async function violations(page: Page, only: 'all' | 'colours'): Promise<string[]> {
  if (await page.evaluate('globalThis.axe === undefined')) await page.evaluate(axe)
  // Leaves out parts of the report that this test does not need.
  const short = { resultTypes: ['violations'], selectors: false }
  const options = only === 'colours' ? { ...short, runOnly: ['color-contrast'] } : short
  const { violations } = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as { violations: Violation[] }
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  )
}
