import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import type { BrowserContext, Page } from 'playwright-core'
import { launchBrowser } from '../support/unpacked.ts'
import type { Finding } from './expect.ts'
import type { Place } from './place.ts'
import type { Ran } from './run.ts'

/** What a person sees on the dashboard while a session goes on, without ever reloading it. */
export interface Watch {
  /** What was expected on the dashboard and not seen. Call it once the session has ended. */
  findings(ran: Ran): Promise<Finding[]>
  close(): Promise<void>
}

/** In the order in which a session shows them. */
const sights = ['lane at work', 'tool in the lane', 'open turn', 'tool in the open turn', 'first turn'] as const
type Sight = (typeof sights)[number]

const pauseMs = 100
/** How long the last sights may take once the session has ended, in milliseconds. */
const patienceMs = 15_000

/** Opens the dashboard of the place on *Now*, and in another tab the first run that appears there. */
export async function startWatch(place: Place): Promise<Watch> {
  const server = spawn('conduct', ['serve', '--port', '0'], {
    cwd: place.repository,
    env: place.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(server.stdout, 'data')
  const browser = await launchBrowser()
  const close = async () => {
    await browser.close()
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    const now = await context.newPage()
    await now.goto(place.conduct('open', '--print'))
    await now.locator('#live').waitFor()
    return watchOn({ place, context, now, seen: new Set() }, close)
  } catch (error) {
    await close()
    throw error
  }
}

function watchOn(looking: Looking, end: () => Promise<void>): Watch {
  const { place, seen } = looking
  const ending = new AbortController()
  const watching = lookOn(looking, ending.signal)
  return {
    async findings(ran) {
      ending.abort()
      const run = await watching
      const missing = sights.filter((sight) => !seen.has(sight))
      const left = run ? await missingOn(run, ran) : ['run']
      await run?.screenshot({ path: join(place.folder, 'run.png'), fullPage: true })
      return [...missing, ...left].map((name) => ({ name: `seen: ${name}`, scripted: true, recorded: false }))
    },
    async close() {
      ending.abort()
      await watching.catch(() => {})
      await end()
    },
  }
}

interface Looking {
  place: Place
  context: BrowserContext
  now: Page
  seen: Set<Sight>
}

/** Notes what appears until the session has ended. Returns the page of its run. */
async function lookOn({ place, context, now, seen }: Looking, over: AbortSignal): Promise<Page | undefined> {
  let run: Page | undefined
  while (!over.aborted) {
    const lane = now.locator('.lane')
    if (!run && (await lane.count()) > 0) run = await opened(context, now)
    const shown: [Sight, boolean][] = [
      ['lane at work', await isThere(lane.getByText(/^working, /))],
      ['tool in the lane', await isThere(lane.locator('.doing code'))],
      ['open turn', run !== undefined && (await isThere(run.locator('.turn.open')))],
      ['tool in the open turn', run !== undefined && (await isThere(run.locator('.turn.open .doing code')))],
      ['first turn', run !== undefined && (await isThere(run.locator('#turn-1')))],
    ]
    for (const [sight, isSeen] of shown) {
      if (!isSeen || seen.has(sight)) continue
      seen.add(sight)
      if (sight === 'tool in the lane') await now.screenshot({ path: join(place.folder, 'now.png') })
      if (sight === 'tool in the open turn') await run?.screenshot({ path: join(place.folder, 'open-turn.png') })
    }
    await after(pauseMs)
  }
  return run
}

const isThere = async (locator: ReturnType<Page['locator']>) => (await locator.count()) > 0

/** The page of the first run on *Now*. */
async function opened(context: BrowserContext, now: Page): Promise<Page> {
  const link = await now.locator('.lane a.title').first().getAttribute('href')
  const run = await context.newPage()
  await run.goto(new URL(String(link), now.url()).href)
  return run
}

/** What the page of the run does not show although the session has ended. */
async function missingOn(run: Page, { played, session }: Ran): Promise<string[]> {
  const last = run.locator('.turn').last()
  const answer = (played.answer ?? '').split('\n')[0] ?? ''
  const expected: [name: string, locator: ReturnType<Page['locator']>][] = [
    ['completed', run.locator('.standing').getByText('Completed')],
    ['verdict', run.locator('.standing').getByText(session.verdict === 'verified' ? 'Verified' : 'Unchecked')],
    ['last answer', last.getByText(answer)],
  ]
  const missing = await Promise.all(
    expected.map(([name, locator]) =>
      locator.waitFor({ timeout: patienceMs }).then(
        () => [],
        () => [name],
      ),
    ),
  )
  return missing.flat()
}
