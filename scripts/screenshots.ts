import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { createClient } from '../src/client/client.ts'
import { openStore, serve } from '../src/server/serve.ts'
import { pages } from '../src/web/pages.ts'
import { builtPage, launchBrowser, logInContext } from '../test/support/unpacked.ts'

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const folder = pathOf('../docs/pictures')
const mostBytes = 200_000

/** A picture of the page once it no longer changes: two in a row are identical. */
async function stillPicture(page: Page): Promise<Buffer> {
  await page.getByRole('heading', { level: 1 }).waitFor()
  let before = await page.screenshot()
  for (let tries = 0; tries < 40; tries++) {
    await wait(400)
    const after = await page.screenshot()
    if (after.equals(before)) return after
    before = after
  }
  throw new Error(`${page.url()} does not come to rest`)
}

/** Writes `<name>.png` for each address below `home`. */
async function takePictures(
  browser: Browser,
  home: string,
  key: string,
  pages: Record<string, string>,
  options: BrowserContextOptions = {},
) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    // Otherwise the browser uses the machine's locale, which it may not support, such as en-US@posix.
    locale: 'en-US',
    ...options,
  })
  // The page shows relative times, which must not change meanwhile.
  await context.clock.setFixedTime(Date.now())
  await logInContext(context, home, key)
  for (const [name, address] of Object.entries(pages)) {
    const page = await context.newPage()
    await page.goto(home + address)
    const picture = await stillPicture(page)
    if (picture.length > mostBytes)
      process.stderr.write(`${name}.png has ${picture.length} bytes: more than it should.\n`)
    writeFileSync(join(folder, `${name}.png`), picture)
    await page.close()
  }
  await context.close()
}

/** The pages of the menu, a run with a lot to show, a spec that runs have built, and a feature. */
async function pagesOf(url: string, key: string): Promise<Record<string, string>> {
  const client = createClient({ url, key, project: 'demo' })
  const { runs } = await client.listRuns({ status: ['completed'], limit: 100 })
  const run = runs.find(({ retryOf, evidence }) => retryOf !== null && evidence === 'independent')
  const built = runs.find(({ specId, verdict }) => specId !== null && verdict === 'verified')
  const ofMenu = pages.flatMap(({ path, menu }) => (menu ? [[menu[0].toLowerCase(), `#/${path}`]] : []))
  return {
    ...Object.fromEntries(ofMenu),
    run: `#/runs/demo/${run?.runId}`,
    spec: `#/specs/demo/${built?.specId}`,
    feature: '#/features/demo/1',
  }
}

const data = mkdtempSync(join(tmpdir(), 'conduct-pictures-'))
const databaseUrl = `sqlite:${join(data, 'conduct.db')}`
const browser = await launchBrowser()
try {
  // Before the demo: the first key is created in a database without keys.
  const store = await openStore(databaseUrl)
  const running = await serve({ host: '127.0.0.1', port: 0, store, webFolder: await builtPage(), rateLimit: 0 })
  const key = store.newSecret ?? ''
  execFileSync(process.execPath, [pathOf('../src/cli/main.ts'), 'demo', '--profile', 'local'], {
    env: { ...process.env, CONDUCT_DATABASE_URL: databaseUrl },
    stdio: 'inherit',
  })
  const pages = await pagesOf(running.url, key)
  mkdirSync(folder, { recursive: true })
  const home = `${running.url}/`
  await takePictures(browser, home, key, pages)
  await takePictures(browser, home, key, { 'now-dark': '#/' }, { colorScheme: 'dark' })
  await takePictures(
    browser,
    home,
    key,
    { 'run-narrow': pages.run as string },
    { viewport: { width: 360, height: 800 } },
  )
  await running.stop()
} finally {
  await browser.close()
  rmSync(data, { recursive: true, force: true })
}
